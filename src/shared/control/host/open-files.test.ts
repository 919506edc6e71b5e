import { afterEach, expect, it, vi } from 'vitest';
import { watchOpenFiles } from './open-files.ts';

afterEach(() => vi.useRealTimers());

it('logs once a minute that the limit of open files is reached, and nothing otherwise', () => {
  vi.useFakeTimers();
  const logged: unknown[] = [];
  let why: string | undefined;
  watchOpenFiles({ error: (line: unknown) => void logged.push(line) }, () => why);
  vi.advanceTimersByTime(10_000);
  expect(logged).toEqual([]);
  why = 'raise the limit';
  vi.advanceTimersByTime(50_000);
  expect(logged).toEqual([{ cure: 'raise the limit' }]);
  vi.advanceTimersByTime(20_000);
  expect(logged).toHaveLength(2);
});
