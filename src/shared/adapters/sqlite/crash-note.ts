import { closeSync, constants, openSync, readSync, writeSync } from 'node:fs';
import type { CrashNote } from '../../kernel/database/index.ts';
import { writeWhole } from './files.ts';

const maxBytes = 1024 * 1024;
const lineBreak = 0x0a;
const emptyLine = Buffer.of(lineBreak);

/**
 * Keeps a note as the first line of a file. When the whole line cannot be written, as on a full disk, there is no note, and nothing
 * else changes.
 *
 * `lock` returns the number of the transaction that keeps other processes away from the note, or `undefined` outside a transaction.
 * Within a transaction, an empty note is not read again. Only tests replace `write`.
 */
export function fileNote(
  path: string,
  lock: () => number | undefined = () => undefined,
  write: typeof writeSync = writeSync,
): CrashNote & { close(): void } {
  let file: number | undefined;
  let emptyUnder: number | undefined;
  const first = Buffer.alloc(1);
  const opened = () => {
    file ??= openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600);
    return file;
  };
  /** A write may store a part of the note and then fail. */
  return {
    get isEmpty() {
      const held = lock();
      if (held !== undefined && held === emptyUnder) return true;
      const isEmpty = orElse(true, () => readSync(opened(), first, 0, 1, 0) === 0 || first[0] === lineBreak);
      emptyUnder = isEmpty ? held : undefined;
      return isEmpty;
    },
    read() {
      return orElse('', () => {
        const bytes = Buffer.alloc(maxBytes);
        const text = bytes.toString('utf8', 0, readSync(opened(), bytes, 0, maxBytes, 0));
        const end = text.indexOf('\n');
        // A note without its line break is incomplete: its process ended before it handled the event.
        return end < 0 ? '' : text.slice(0, end);
      });
    },
    write(text) {
      emptyUnder = undefined;
      const isWhole = orElse(false, () => {
        writeWhole(opened(), Buffer.from(`${text}\n`), 0, write);
        return true;
      });
      // A partial note in front of the old content would read as a note. An empty line needs no additional space.
      if (!isWhole) orElse(0, () => write(opened(), emptyLine, 0, 1, 0));
      else if (text === '') emptyUnder = lock();
    },
    close() {
      if (file !== undefined) closeSync(file);
      file = undefined;
    },
  };
}

function orElse<T>(without: T, task: () => T): T {
  try {
    return task();
  } catch {
    return without;
  }
}
