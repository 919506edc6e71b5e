import { closeSync, openSync } from 'node:fs';
import { devNull } from 'node:os';
import { errorCode } from './error-code.ts';

const codes = new Set<string | undefined>(['EMFILE', 'ENFILE']);

/** Returns the reason and the remedy for an error that means that too many files are open; `undefined` for any other error. */
export function whyTooManyFiles(error: unknown): string | undefined {
  const code = errorCode(error);
  if (!codes.has(code)) return undefined;
  const whose = code === 'EMFILE' ? 'this process has' : 'all processes together have';
  return `${whose} as many files and connections open as the system allows (${code}); raise the limit (ulimit -n, LimitNOFILE of systemd, nofile of the container)`;
}

/** Enough files to open a database at once: its file, its log, its index, its folder. */
const filesAtOnce = 8;

/** Tries to open a few more files. Returns the reason when that fails, for callers whose own error does not tell. */
export function whyNoMoreFiles(): string | undefined {
  const opened: number[] = [];
  try {
    while (opened.length < filesAtOnce) opened.push(openSync(devNull, 'r'));
    return undefined;
  } catch (error) {
    return whyTooManyFiles(error);
  } finally {
    for (const file of opened) closeSync(file);
  }
}
