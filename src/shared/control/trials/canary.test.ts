import { describe, expect, it } from 'vitest';
import { type Canary, canarySchema } from '../admin-contract/index.ts';
import { Tally } from '../relocation/index.ts';
import { tryOut, type World } from './canary.scene.ts';
import { sharesOf, verdictOf } from './canary.ts';

const canary = canarySchema.parse({});

it.each([
  [0.05, [0.05, 0.25, 0.5]],
  [0.1, [0.1, 0.25, 0.5]],
  [0.5, [0.5]],
  [0.8, [0.8]],
  [1, []],
])('a canary of %d grows over %j to all calls', (share, steps) => {
  expect(sharesOf({ ...canary, share })).toEqual(steps);
});

/** Tallies `calls` calls, of which the first `failures` failed. Their durations repeat the list `times`. */
function tally(calls: number, failures = 0, times: readonly number[] = [10]): Tally {
  const made = new Tally();
  for (let call = 0; call < calls; call++) made.add(times[call % times.length]!, call < failures);
  return made;
}

const verdict = (other: Tally, before: Tally, elapsedMs: number, { alike = true, ...rest }: Asked = {}) =>
  verdictOf({ other, before, alike }, { ...canary, ...rest }, elapsedMs);
type Asked = Partial<Canary> & { alike?: boolean };

describe('a canary', () => {
  it.each([
    ['continues before its minimum time', tally(200), tally(2_000), 9_999, 'open'],
    ['succeeds after its minimum time', tally(200), tally(2_000), 10_000, 'well'],
    ['waits for calls', tally(99), tally(2_000), 59_999, 'open'],
    ['has no verdict without enough calls', tally(99), tally(2_000), 60_000, 'unknown'],
    ['is worse as soon as many of its calls fail', tally(20, 8), tally(400), 1, 'worse'],
    ['is not worse for one failure', tally(200, 1), tally(2_000), 10_000, 'well'],
    ['waits when it may be worse', tally(200, 5), tally(2_000), 59_999, 'open'],
    ['has no verdict when that stays unclear', tally(200, 5), tally(2_000), 60_000, 'unknown'],
    ['may fail as often as the current replicas', tally(200, 20), tally(2_000, 200), 10_000, 'well'],
    ['may be slow at first', tally(200, 0, [100]), tally(2_000), 9_999, 'open'],
    ['is slow when its time is over', tally(200, 0, [100]), tally(2_000), 10_000, 'slow'],
    ['may take a little longer', tally(200, 0, [19]), tally(2_000), 10_000, 'well'],
    ['needs no calls to the current replicas', tally(200), tally(0), 10_000, 'well'],
  ])('%s', (_, other, before, elapsedMs, state) => {
    expect(verdict(other, before, elapsedMs)).toMatchObject({ state });
  });

  it('reports its confidence, which grows with the calls', () => {
    expect(verdict(tally(100), tally(1_000), 10_000).sure).toBeCloseTo(0.85, 1);
    expect(verdict(tally(400), tally(1_000), 10_000).sure).toBeGreaterThan(0.99);
  });

  it('may be 50 ms slower after in-process calls, or as slow as the order allows', () => {
    const slower = tally(200, 0, [59]);
    expect(verdict(slower, tally(2_000), 10_000)).toMatchObject({ state: 'slow' });
    expect(verdict(slower, tally(2_000), 10_000, { alike: false })).toMatchObject({ state: 'well' });
    expect(verdict(slower, tally(2_000), 10_000, { maxSlowerMs: 60 })).toMatchObject({ state: 'well' });
    expect(verdict(tally(200, 0, [12]), tally(2_000), 10_000, { maxSlowerMs: 1 })).toMatchObject({ state: 'slow' });
  });

  it('waits as long as the order allows', () => {
    expect(verdict(tally(3), tally(60), 600_000, { maxWaitMs: 900_000 })).toMatchObject({ state: 'open' });
    expect(verdict(tally(3), tally(60), 10_000, { maxWaitMs: 1_000 })).toMatchObject({ state: 'unknown' });
  });

  it.each([
    [tally(20, 8), 1, '40 % of the 20 calls to the new replicas failed, 0 % of the calls before'],
    [
      tally(200, 0, [10, 90]),
      10_000,
      'the new replicas took 90 ms (95th percentile of 200 calls), the replicas before 10 ms',
    ],
    [
      tally(19),
      60_000,
      'only 19 calls went to the new replicas, too few to judge them by (100 are needed); wait longer',
    ],
    [
      tally(200, 5),
      60_000,
      '2.5 % of the 200 calls to the new replicas failed, 0 % of the calls before; more calls could',
    ],
  ])('reports why it rolls back', (other, elapsedMs, why) => {
    expect(verdict(other, tally(2_000), elapsedMs)).toMatchObject({ why: expect.stringContaining(why) });
  });
});

describe('among many canaries', () => {
  const usual = { medianMs: 8, spread: 0.5, failures: 0 };
  const heavy = { ...usual, spread: 1 };
  /** A busy machine: at times, every call takes thirty times as long for a while. */
  const stalls = { everyCalls: 100, lastMs: 800, factor: 30 };
  const outcomes = (world: World) => Array.from({ length: 200 }, (_, seed) => tryOut(seed, world));

  it.each<[string, World]>([
    ['with calls of very different length', { before: heavy, other: heavy }],
    [
      'that fail in one call of a hundred',
      { before: { ...usual, failures: 0.01 }, other: { ...usual, failures: 0.01 } },
    ],
    ['that fail in one call of ten', { before: { ...usual, failures: 0.1 }, other: { ...usual, failures: 0.1 } }],
    ['on a busy machine', { before: usual, other: usual, stalls }],
  ])('fewer than one in a hundred equal ones %s roll back', (_, world) => {
    expect(outcomes(world).filter(({ state }) => state !== 'well').length).toBeLessThan(2);
  });

  it.each<[string, World, number]>([
    ['three times as slow', { before: usual, other: { ...usual, medianMs: 24 } }, 300],
    [
      'three times as slow, with calls of very different length',
      { before: heavy, other: { ...heavy, medianMs: 24 } },
      800,
    ],
    ['three times as slow on a busy machine', { before: usual, other: { ...usual, medianMs: 24 }, stalls }, 800],
    ['that fail in one call of twenty', { before: usual, other: { ...usual, failures: 0.05 } }, 500],
    [
      'that fail in six calls of a hundred instead of one',
      { before: { ...usual, failures: 0.01 }, other: { ...usual, failures: 0.06 } },
      1_200,
    ],
  ])('of those %s, more than 95 in a hundred roll back in time', (_, world, calls) => {
    const found = outcomes(world).filter((each) => each.state !== 'well' && each.calls <= calls);
    expect(found.length).toBeGreaterThan(190);
  });
});
