import { randomUUID } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { StartError } from '../errors/index.ts';

const othersMay = 0o077;

/**
 * Makes a file that holds a secret, on first use. Nobody but this user may read it (mode 0600), also when it came here otherwise,
 * as from a backup. It is there as a whole or not at all, whoever else makes it at the same time, and whenever the process ends.
 */
export function keepSecret(file: string, made: () => string): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  if (!existsSync(file)) make(file, made());
  const found = statSync(file, { throwIfNoEntry: false });
  if (!found?.isFile()) throw new StartError(`${file} is not a file; remove it to have one made`);
  if (found.mode & othersMay) chmodSync(file, 0o600);
}

/** Writes another secret in the place of one. A crash leaves the old or the new. */
export function replaceSecret(file: string, secret: string): void {
  renameSync(writtenAside(file, secret), file);
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
