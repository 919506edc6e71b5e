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
import { StartError, whyDiskFull, whyTooManyFiles } from '../../kernel/errors/index.ts';

const othersMay = 0o077;

/**
 * Creates a file that holds a secret, on first use. Only this user may read it (mode 0600), even if it came from a backup. The file
 * is complete or absent, even if another process creates it at the same time or this process ends at any point.
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

/** Replaces a secret, or creates it. A crash leaves the old or the new secret. The new one is on disk at the return. */
export function replaceSecret(file: string, secret: string): void {
  asked(file, 'replaced', () => {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    renameSync(writtenAside(file, secret), file);
    syncFolder(dirname(file));
  });
}

/** Removes a secret from the disk. Returns whether there was one. */
export function removeSecret(file: string): boolean {
  return asked(file, 'removed', () => {
    if (!existsSync(file)) return false;
    rmSync(file);
    syncFolder(dirname(file));
    return true;
  });
}

/** Makes renamed and removed files of a folder survive a power cut. */
function syncFolder(folder: string): void {
  // Windows opens no folder.
  if (process.platform === 'win32') return;
  const handle = openSync(folder, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

function make(file: string, secret: string): void {
  const aside = writtenAside(file, secret);
  try {
    linkSync(aside, file);
  } catch (error) {
    // Another process was faster: its secret stays.
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

/** Maps an error of the operating system to a `StartError` that names the file. */
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
