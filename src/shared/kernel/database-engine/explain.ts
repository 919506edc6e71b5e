import { dirname } from 'node:path';
import {
  errorCode,
  messageOf,
  NotWritten,
  whyDiskFull,
  whyNoMoreFiles,
  whyNoRoom,
  whyTooManyFiles,
} from '../errors/index.ts';

const explanations: Record<string, string> = {
  SQLITE_NOTADB: 'the file is damaged or is not a database; move it away or restore it from a backup',
  SQLITE_CORRUPT: 'the file is damaged; restore it from a backup',
  SQLITE_READONLY: 'it is read-only; make the folder writable or set DATA_DIR to one that is',
  SQLITE_CANTOPEN: 'the folder cannot be written; make it writable or set DATA_DIR to one that is',
  SQLITE_FULL: 'the disk is full; make room',
  SQLITE_IOERR: 'the disk refuses; look at its health, at quotas and at limits on the size of files',
  SQLITE_BUSY: 'another process keeps it locked; let that end, and it goes on by itself',
  EACCES: 'permission denied; make the folder writable or set DATA_DIR to one that is',
  EROFS: 'the file system is read-only; set DATA_DIR to a folder that can be written',
  ENOTDIR: 'a part of the path is a file; set DATA_DIR to a folder',
  EEXIST: 'a part of the path is a file; set DATA_DIR to a folder',
};

/** Explains an error of the operating system or of SQLite, and says what to do. `file` is the file that was read or written. */
export function explain(error: unknown, file?: string): string {
  return explanationOf(error, file) ?? messageOf(error);
}

/** Returns `NotWritten` when the error or one of its causes comes from the disk or the file. Returns any other error unchanged. */
export function asNotWritten(module: string, file: string, error: unknown): unknown {
  for (const cause of causesOf(error)) {
    if (cause instanceof NotWritten) return cause;
    const why = errorCode(cause)?.startsWith('SQLITE_') && explanationOf(cause, file);
    if (why) return new NotWritten(module, file, why, error);
  }
  return error;
}

/** Returns the message of SQLite about a damaged file, or `undefined` for any other error. */
export function damageOf(error: unknown): string | undefined {
  const found = causesOf(error).find((cause) => /^SQLITE_(CORRUPT|NOTADB)/.test(errorCode(cause) ?? ''));
  return found && `it is damaged (${messageOf(found)})`;
}

/** Returns why the disk failed to read or write, or `undefined` for any other error. */
export function failureOf(error: unknown, file: string): string | undefined {
  const found = causesOf(error).find((cause) => errorCode(cause)?.startsWith('SQLITE_IOERR'));
  return found && explanationOf(found, file);
}

function causesOf(error: unknown): Error[] {
  return error instanceof Error ? [error, ...causesOf(error.cause)] : [];
}

function explanationOf(error: unknown, file?: string): string | undefined {
  const code = errorCode(error) ?? '';
  // SQLite does not tell why it cannot open a file.
  const tooMany = code.startsWith('SQLITE_CANTOPEN') ? whyNoMoreFiles() : whyTooManyFiles(error);
  if (tooMany) return tooMany;
  const full = code.startsWith('SQLITE_IOERR') && file ? whyNoRoom(dirname(file)) : whyDiskFull(error);
  if (full) return full;
  const known = Object.keys(explanations).find((prefix) => code.startsWith(prefix));
  return known && explanations[known];
}
