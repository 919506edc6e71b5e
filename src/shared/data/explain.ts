import { messageOf, NotWritten, whyNoMoreFiles, whyTooManyFiles } from '../errors/index.ts';

const explanations: Record<string, string> = {
  SQLITE_NOTADB: 'the file is damaged or is not a database; move it away or restore it from a backup',
  SQLITE_CORRUPT: 'the file is damaged; restore it from a backup',
  SQLITE_READONLY: 'it is read-only; make the folder writable or set DATA_DIR to one that is',
  SQLITE_CANTOPEN: 'the folder cannot be written; make it writable or set DATA_DIR to one that is',
  SQLITE_FULL: 'the disk is full; make room, and it goes on by itself',
  SQLITE_IOERR: 'the disk refuses; look at its health, at quotas and at limits on the size of files',
  SQLITE_BUSY: 'another process keeps it locked; let that end, and it goes on by itself',
  EACCES: 'permission denied; make the folder writable or set DATA_DIR to one that is',
  EROFS: 'the file system is read-only; set DATA_DIR to a folder that can be written',
  ENOTDIR: 'a part of the path is a file; set DATA_DIR to a folder',
  EEXIST: 'a part of the path is a file; set DATA_DIR to a folder',
};

/** What the system or SQLite refuses, in words that say what to do. */
export function explain(error: unknown): string {
  return explanationOf(error) ?? messageOf(error);
}

/** `NotWritten`, when an error or what caused it is what the disk or the file refuses; any other error as it is. */
export function asNotWritten(module: string, file: string, error: unknown): unknown {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    const why = (cause as { code?: string }).code?.startsWith('SQLITE_') && explanationOf(cause);
    if (why) return new NotWritten(module, file, why, error);
  }
  return error;
}

function explanationOf(error: unknown): string | undefined {
  const { code = '' } = error as { code?: string };
  // SQLite does not tell why it cannot open a file.
  const tooMany = code.startsWith('SQLITE_CANTOPEN') ? whyNoMoreFiles() : whyTooManyFiles(error);
  if (tooMany) return tooMany;
  const known = Object.keys(explanations).find((prefix) => code.startsWith(prefix));
  return known && explanations[known];
}
