import { describe, expect, it } from 'vitest';
import { type Canary, canarySchema } from '../admin-contract/index.ts';
import { CallStatistics } from '../relocation/index.ts';
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
function statisticsOf(calls: number, failures = 0, times: readonly number[] = [10]): CallStatistics {
  const made = new CallStatistics();
  for (let call = 0; call < calls; call++) made.add(times[call % times.length]!, call < failures);
  return made;
}

const verdict = (
  candidate: CallStatistics,
  current: CallStatistics,
  elapsedMs: number,
  { alike = true, ...rest }: Asked = {},
) => verdictOf({ candidate, current, alike }, { ...canary, ...rest }, elapsedMs);
type Asked = Partial<Canary> & { alike?: boolean };

describe('a canary', () => {
  it.each([
    ['continues before its minimum time', statisticsOf(200), statisticsOf(2_000), 9_999, 'open'],
    ['succeeds after its minimum time', statisticsOf(200), statisticsOf(2_000), 10_000, 'well'],
    ['waits for calls', statisticsOf(99), statisticsOf(2_000), 59_999, 'open'],
    ['has no verdict without enough calls', statisticsOf(99), statisticsOf(2_000), 60_000, 'unknown'],
    ['is worse as soon as many of its calls fail', statisticsOf(20, 8), statisticsOf(400), 1, 'worse'],
    ['is not worse for one failure', statisticsOf(200, 1), statisticsOf(2_000), 10_000, 'well'],
    ['waits when it may be worse', statisticsOf(200, 5), statisticsOf(2_000), 59_999, 'open'],
    ['has no verdict when that stays unclear', statisticsOf(200, 5), statisticsOf(2_000), 60_000, 'unknown'],
    ['may fail as often as the current replicas', statisticsOf(200, 20), statisticsOf(2_000, 200), 10_000, 'well'],
    ['may be slow at first', statisticsOf(200, 0, [100]), statisticsOf(2_000), 9_999, 'open'],
    ['is slow when its time is over', statisticsOf(200, 0, [100]), statisticsOf(2_000), 10_000, 'slow'],
    ['may take a little longer', statisticsOf(200, 0, [19]), statisticsOf(2_000), 10_000, 'well'],
    ['needs no calls to the current replicas', statisticsOf(200), statisticsOf(0), 10_000, 'well'],
  ])('%s', (_, other, before, elapsedMs, state) => {
    expect(verdict(other, before, elapsedMs)).toMatchObject({ state });
  });

  it('reports its confidence, which grows with the calls', () => {
    expect(verdict(statisticsOf(100), statisticsOf(1_000), 10_000).sure).toBeCloseTo(0.85, 1);
    expect(verdict(statisticsOf(400), statisticsOf(1_000), 10_000).sure).toBeGreaterThan(0.99);
  });

  it('may be 50 ms slower after in-process calls, or as slow as the order allows', () => {
    const slower = statisticsOf(200, 0, [59]);
    expect(verdict(slower, statisticsOf(2_000), 10_000)).toMatchObject({ state: 'slow' });
    expect(verdict(slower, statisticsOf(2_000), 10_000, { alike: false })).toMatchObject({ state: 'well' });
    expect(verdict(slower, statisticsOf(2_000), 10_000, { maxSlowerMs: 60 })).toMatchObject({ state: 'well' });
    expect(verdict(statisticsOf(200, 0, [12]), statisticsOf(2_000), 10_000, { maxSlowerMs: 1 })).toMatchObject({
      state: 'slow',
    });
  });

  it('waits as long as the order allows', () => {
    expect(verdict(statisticsOf(3), statisticsOf(60), 600_000, { maxWaitMs: 900_000 })).toMatchObject({
      state: 'open',
    });
    expect(verdict(statisticsOf(3), statisticsOf(60), 10_000, { maxWaitMs: 1_000 })).toMatchObject({
      state: 'unknown',
    });
  });

  it.each([
    [statisticsOf(20, 8), 1, '40 % of the 20 calls to the new replicas failed, 0 % of the calls before'],
    [
      statisticsOf(200, 0, [10, 90]),
      10_000,
      'the new replicas took 90 ms (95th percentile of 200 calls), the replicas before 10 ms',
    ],
    [
      statisticsOf(19),
      60_000,
      'only 19 calls went to the new replicas, too few to judge them by (100 are needed); wait longer',
    ],
    [
      statisticsOf(200, 5),
      60_000,
      '2.5 % of the 200 calls to the new replicas failed, 0 % of the calls before; more calls could',
    ],
  ])('reports why it rolls back', (other, elapsedMs, why) => {
    expect(verdict(other, statisticsOf(2_000), elapsedMs)).toMatchObject({ why: expect.stringContaining(why) });
  });
});

describe('among many canaries', () => {
  const usual = { medianMs: 8, spread: 0.5, failures: 0 };
  const heavy = { ...usual, spread: 1 };
  /** A busy machine: at times, every call takes thirty times as long for a while. */
  const stalls = { everyCalls: 100, lastMs: 800, factor: 30 };
  const outcomes = (world: World) => Array.from({ length: 200 }, (_, seed) => tryOut(seed, world));

  it.each<[string, World]>([
    ['with calls of very different length', { current: heavy, candidate: heavy }],
    [
      'that fail in one call of a hundred',
      { current: { ...usual, failures: 0.01 }, candidate: { ...usual, failures: 0.01 } },
    ],
    ['that fail in one call of ten', { current: { ...usual, failures: 0.1 }, candidate: { ...usual, failures: 0.1 } }],
    ['on a busy machine', { current: usual, candidate: usual, stalls }],
  ])('fewer than one in a hundred equal ones %s roll back', (_, world) => {
    expect(outcomes(world).filter(({ state }) => state !== 'well').length).toBeLessThan(2);
  });

  it.each<[string, World, number]>([
    ['three times as slow', { current: usual, candidate: { ...usual, medianMs: 24 } }, 300],
    [
      'three times as slow, with calls of very different length',
      { current: heavy, candidate: { ...heavy, medianMs: 24 } },
      800,
    ],
    ['three times as slow on a busy machine', { current: usual, candidate: { ...usual, medianMs: 24 }, stalls }, 800],
    ['that fail in one call of twenty', { current: usual, candidate: { ...usual, failures: 0.05 } }, 500],
    [
      'that fail in six calls of a hundred instead of one',
      { current: { ...usual, failures: 0.01 }, candidate: { ...usual, failures: 0.06 } },
      1_200,
    ],
  ])('of those %s, more than 95 in a hundred roll back in time', (_, world, calls) => {
    const found = outcomes(world).filter((each) => each.state !== 'well' && each.calls <= calls);
    expect(found.length).toBeGreaterThan(190);
  });
});
