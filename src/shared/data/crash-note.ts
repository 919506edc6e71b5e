import { closeSync, constants, openSync, readSync, writeSync } from 'node:fs';
import type { CrashNote } from './database.ts';

const maxBytes = 1024 * 1024;
const lineBreak = 0x0a;

/** A note as the first line of a file. Where the file cannot be written, there is no note, and nothing else is changed by that. */
export function fileNote(path: string): CrashNote & { close(): void } {
  let file: number | undefined;
  const first = Buffer.alloc(1);
  const opened = () => {
    file ??= openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600);
    return file;
  };
  return {
    get isEmpty() {
      return orElse(true, () => readSync(opened(), first, 0, 1, 0) === 0 || first[0] === lineBreak);
    },
    read() {
      return orElse('', () => {
        const bytes = Buffer.alloc(maxBytes);
        const text = bytes.toString('utf8', 0, readSync(opened(), bytes, 0, maxBytes, 0));
        const end = text.indexOf('\n');
        // Without its line break it was not written to the end: what it announces had not begun.
        return end < 0 ? '' : text.slice(0, end);
      });
    },
    write(text) {
      orElse(0, () => writeSync(opened(), `${text}\n`, 0));
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
