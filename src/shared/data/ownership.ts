import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { StartError } from '../errors/index.ts';

/**
 * Makes this process the only one that runs a module on this data folder, until it is released or the process dies, however
 * it dies: the operating system drops the lock. Two copies would both deliver the module's events and run its sagas.
 */
export function takeOwnership(module: string, folder: string): () => void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const file = join(folder, `${module}.lock`);
  const holder = `${file}-holder`;
  const lock = new Sqlite(file, { timeout: 0 });
  try {
    lock.pragma('locking_mode = EXCLUSIVE');
    lock.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    lock.close();
    if ((error as { code?: string }).code !== 'SQLITE_BUSY') {
      const why = (error as Error).message;
      throw new StartError(`${file} cannot be locked: ${why}; remove it when nothing runs on this folder`, {
        cause: error,
      });
    }
    throw new StartError(
      `the data of "${module}" in ${folder} is in use by process ${readHolder(holder)}; stop that one, or set DATA_DIR to another folder`,
    );
  }
  writeFileSync(holder, String(process.pid));
  return () => lock.close();
}

function readHolder(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '(unknown)';
  }
}
