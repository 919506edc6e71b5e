import { randomUUID } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { StartError, whyDiskFull, whyTooManyFiles } from '../errors/index.ts';

const othersMay = 0o077;

/**
 * Makes a file that holds a secret, on first use. Nobody but this user may read it (mode 0600), also when it came here otherwise,
 * as from a backup. It is there as a whole or not at all, whoever else makes it at the same time, and whenever the process ends.
 */
export function keepSecret(file: string, made: () => string): void {
  asked(file, 'made', () => {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    if (!existsSync(file)) make(file, made());
  });
  const found = statSync(file, { throwIfNoEntry: false });
  if (!found?.isFile()) throw new StartError(`${file} is not a file; remove it to have one made`);
  if (found.mode & othersMay) asked(file, 'kept from others', () => chmodSync(file, 0o600));
}

export function readSecret(file: string): string {
  return asked(file, 'read', () => readFileSync(file, 'utf8'));
}

/** Writes another secret in the place of one. A crash leaves the old or the new. */
export function replaceSecret(file: string, secret: string): void {
  asked(file, 'replaced', () => renameSync(writtenAside(file, secret), file));
}

function make(file: string, secret: string): void {
  const aside = writtenAside(file, secret);
  try {
    linkSync(aside, file);
  } catch (error) {
    // Somebody else was faster: theirs holds.
    if ((error as { code?: string }).code !== 'EEXIST') throw error;
  } finally {
    rmSync(aside);
  }
}

function writtenAside(file: string, secret: string): string {
  // Processes in containers that share the folder may have the same id.
  const aside = `${file}.${randomUUID()}`;
  const handle = openSync(aside, 'wx', 0o600);
  try {
    writeFileSync(handle, secret);
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
  return aside;
}

/** What the system refuses is said with the file that it is about. */
function asked<T>(file: string, what: string, ask: () => T): T {
  try {
    return ask();
  } catch (error) {
    const { code } = error as { code?: string };
    if (code === undefined) throw error;
    const why = whyDiskFull(error) ?? whyTooManyFiles(error);
    const known = why ? `: ${why}` : ` (${code}); let the user who runs this own it and its folder`;
    throw new StartError(`${file} cannot be ${what}${known}`, { cause: error });
  }
}
