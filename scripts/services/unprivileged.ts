// Folders of servers that refuse to run as root. Another user has no access to root's checkout.
import { spawnSync } from 'node:child_process';
import { chownSync, existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface User {
  readonly uid: number;
  readonly gid: number;
}

/** Returns the user of this name when this process is root; otherwise undefined, because the server can run as this user. */
export function unprivileged(name: string): User | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const id = (flag: string) => Number(spawnSync('id', [flag, name], { encoding: 'utf8' }).stdout);
  return { uid: id('-u'), gid: id('-g') };
}

/** Creates the data folder of a server below its folder. For another user, it is a link to a temporary folder of that user. */
export function createData(folder: string, user: User | undefined): void {
  const data = join(folder, 'data');
  if (!user) return void mkdirSync(data, { recursive: true });
  const temporary = mkdtempSync(join(tmpdir(), 'kerf-server-'));
  chownSync(temporary, user.uid, user.gid);
  symlinkSync(temporary, data);
}

/** Returns the real path of the data folder. */
export function dataIn(folder: string): string {
  const data = join(folder, 'data');
  return existsSync(data) ? realpathSync(data) : data;
}

/** Removes the data folder. */
export function removeData(folder: string): void {
  if (existsSync(join(folder, 'data'))) rmSync(dataIn(folder), { recursive: true, force: true });
}
