import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { beginIdsAnew, newId } from './ids.ts';

beforeEach(beginIdsAnew);
afterEach(() => {
  vi.restoreAllMocks();
  beginIdsAnew();
});

it('makes UUIDs of version 7, with the time in them', () => {
  vi.spyOn(Date, 'now').mockReturnValue(0x0123_4567_89ab);
  expect(newId()).toMatch(/^01234567-89ab-7[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/);
});

it('makes each once, and each greater than the one before, also within a millisecond and when the clock is set back', () => {
  const now = vi.spyOn(Date, 'now').mockReturnValue(2_000_000);
  const made = Array.from({ length: 2_000 }, newId);
  now.mockReturnValue(1_000_000);
  made.push(...Array.from({ length: 2_000 }, newId));
  now.mockReturnValue(2_000_001);
  made.push(...Array.from({ length: 2_000 }, newId));
  expect(made).toEqual([...new Set(made)].sort());
});

it('draws the random part of each from the machine', () => {
  const made = Array.from({ length: 1_000 }, () => newId().slice(24));
  expect(new Set(made).size).toBe(1_000);
});
