import { mkdtempSync, readFileSync, renameSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it, vi } from 'vitest';
import { createLog, logsToFile } from './log.ts';

afterEach(() => vi.useRealTimers());

it('continues in a new file after the old one was moved, on SIGHUP or automatically', () => {
  vi.useFakeTimers();
  expect(logsToFile()).toBe(false);
  const file = join(mkdtempSync(join(tmpdir(), 'kerf-log-')), 'logs', 'kerf.log');
  const listeners = process.listeners('SIGHUP');
  const log = createLog('warn', {}, file);
  const [reopen] = process.listeners('SIGHUP').filter((each) => !listeners.includes(each));
  const said = (name: string) =>
    readFileSync(name, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).msg);
  log.warn('first');
  renameSync(file, `${file}.1`);
  log.warn('second');
  reopen!('SIGHUP');
  log.warn('third');
  renameSync(file, `${file}.2`);
  vi.advanceTimersByTime(1_000);
  log.warn('fourth');
  expect([said(`${file}.1`), said(`${file}.2`), said(file)]).toEqual([['first', 'second'], ['third'], ['fourth']]);
  expect(logsToFile()).toBe(true);
  process.off('SIGHUP', reopen!);
});
