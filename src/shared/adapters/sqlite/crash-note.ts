import { closeSync, constants, openSync, readSync, writeSync } from 'node:fs';
import type { CrashNote } from '../../kernel/database/index.ts';
import { writeWhole } from './files.ts';

const maxBytes = 1024 * 1024;
const lineBreak = 0x0a;
const emptyLine = Buffer.of(lineBreak);

/**
 * A note as the first line of a file. Where the file cannot be written to the end of the line, as on a full disk, there is no note, and
 * nothing else is changed by that.
 *
 * `lock` numbers the transaction that keeps other processes away from the note; `undefined` outside one. Within a transaction, a note that was
 * found empty is not looked at again. `write` is the system's, except in tests.
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
  /** The system may write a part, and then fails at the rest. */
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
        // Without its line break it was not written to the end: its process ended before the event was handled.
        return end < 0 ? '' : text.slice(0, end);
      });
    },
    write(text) {
      emptyUnder = undefined;
      const isWhole = orElse(false, () => {
        writeWhole(opened(), Buffer.from(`${text}\n`), 0, write);
        return true;
      });
      // A part of it, in front of what was there before, would be read as a note. An empty line needs no room.
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
