import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { beginIdsAnew, newId } from './ids.ts';

beforeEach(beginIdsAnew);
afterEach(() => {
  vi.restoreAllMocks();
  beginIdsAnew();
});

it('creates UUIDs of version 7, which contain the time', () => {
  vi.spyOn(Date, 'now').mockReturnValue(0x0123_4567_89ab);
  expect(newId()).toMatch(/^01234567-89ab-7[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/);
});

it('creates unique, increasing ids, also within a millisecond and when the clock steps back', () => {
  const now = vi.spyOn(Date, 'now').mockReturnValue(2_000_000);
  const made = Array.from({ length: 2_000 }, newId);
  now.mockReturnValue(1_000_000);
  made.push(...Array.from({ length: 2_000 }, newId));
  now.mockReturnValue(2_000_001);
  made.push(...Array.from({ length: 2_000 }, newId));
  expect(made).toEqual([...new Set(made)].sort());
});

it('gives each id a different random part', () => {
  const made = Array.from({ length: 1_000 }, () => newId().slice(24));
  expect(new Set(made).size).toBe(1_000);
});
