import { expect, it } from 'vitest';
import { Tally, type Trial } from '../../topology/index.ts';
import type { Journal } from './journal.ts';
import { canarySchema, sharesOf, verdict, warmUp } from './trials.ts';

const canary = canarySchema.parse({ stageMs: 1_000, leastCalls: 20, maxFailures: 0.01, maxSlowerMs: 50 });
const counts = (calls: number, failures = 0, p95Ms = 10) => ({ calls, failures, p95Ms });

it.each([
  [0.05, [0.05, 0.25, 0.5]],
  [0.1, [0.1, 0.25, 0.5]],
  [0.5, [0.5]],
  [0.8, [0.8]],
  [1, []],
])('a canary of %d grows by %j before it has all', (share, steps) => {
  expect(sharesOf({ ...canary, share })).toEqual(steps);
});

it.each([
  ['goes on while its time is not over', counts(100), counts(1_000), 999, false],
  ['has done well when its time is over', counts(100), counts(1_000), 1_000, true],
  ['waits for calls', counts(19), counts(1_000), 5_999, false],
  [
    'is given up when they do not come',
    counts(19),
    counts(1_000),
    6_000,
    'only 19 calls went to the new copies, too few to judge them by (20 are needed)',
  ],
  [
    'is worse as soon as more of its calls fail',
    counts(100, 3),
    counts(1_000, 10),
    1,
    '3 % of the calls to the new copies failed, 1 % of those before',
  ],
  ['may fail as those before do, and a little more', counts(100, 2), counts(1_000, 10), 1_000, true],
  [
    'is worse as soon as it is slower',
    counts(100, 0, 61),
    counts(1_000, 0, 10),
    1,
    'the new copies took 61 ms (95th percentile), those before 10 ms',
  ],
  ['may be a little slower', counts(100, 0, 60), counts(1_000, 0, 10), 1_000, true],
])('%s', (_, other, before, elapsedMs, found) => {
  expect(verdict({ other, before }, canary, elapsedMs)).toBe(found);
});

/** How many calls there were at each number at a time, when `called` is asked at every look. */
async function warmed(called: (trial: Trial) => void): Promise<Map<number, number>> {
  const trial = { share: 0.05, atOnce: 0, other: new Tally() } as Trial;
  const seen = new Map<number, number>();
  const pause = async () => {
    const before = trial.other.counted;
    called(trial);
    seen.set(trial.atOnce, (seen.get(trial.atOnce) ?? 0) + trial.other.counted - before);
  };
  await warmUp({ pause } as unknown as Journal, trial);
  expect(trial.share).toBe(0.05);
  return seen;
}

it('warms a new process up with one call at a time, then some', async () => {
  const seen = await warmed((trial) => trial.other.add(1, false));
  expect([...seen]).toEqual([
    [1, 8],
    [2, 16],
    [4, 48],
  ]);
});

it('ends the warming up when nobody calls any more', async () => {
  let left = 3;
  const seen = await warmed((trial) => {
    if (left-- > 0) trial.other.add(1, false);
  });
  expect([...seen]).toEqual([[1, 3]]);
});
