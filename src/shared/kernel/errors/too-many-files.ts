import { closeSync, openSync } from 'node:fs';
import { devNull } from 'node:os';

const codes = new Set<unknown>(['EMFILE', 'ENFILE']);

/** What to do about an error that means that no more files or connections may be open; `undefined` for any other. */
export function whyTooManyFiles(error: unknown): string | undefined {
  const { code } = (error ?? {}) as { code?: unknown };
  if (!codes.has(code)) return undefined;
  const whose = code === 'EMFILE' ? 'this process has' : 'all processes together have';
  return `${whose} as many files and connections open as the system allows (${code}); raise the limit (ulimit -n, LimitNOFILE of systemd, nofile of the container)`;
}

/** What is opened at once, such as a database: its file, its log, its index, its folder. */
const filesAtOnce = 8;

/** Tries to open a few more files: says why that is not possible now, for those who are not told by their own error. */
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
