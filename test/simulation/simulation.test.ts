import { expect, it, vi } from 'vitest';
import { deep } from '../harness/deep.ts';
import { check, type Found, report, tell } from './check.ts';
import { type FirstDay, firstDay } from './first-day.ts';
import { type Flaw, firstSeeds, flaws } from './flaws.ts';
import kept from './seeds.json' with { type: 'json' };

vi.mock('@node-rs/argon2', () => import('./quick-hashes.ts'));

const { SEED = '1', RUNS = '30' } = process.env;
const seedsFrom = (first: number, count: number) => Array.from({ length: count }, (_, index) => first + index);
const day: FirstDay = await firstDay();

async function keepInvariants(seeds: Iterable<number>): Promise<void> {
  for await (const found of check(seeds, day)) if (found) expect.fail(report(found));
}

const patient = { timeout: 600_000 };
it('keeps all invariants under random faults', patient, () =>
  keepInvariants([...kept.map(({ seed }) => seed), ...seedsFrom(Number(SEED), Number(RUNS))]),
);
it('keeps all invariants in more histories', { ...deep, ...patient }, () => keepInvariants(seedsFrom(31, 270)));

/** Proves that the simulation can fail: it must find each planted flaw. */
it.each(flaws)('finds a system that %s', async (flaw) => {
  const found = await firstFound(flaw);
  expect(found.violations).not.toEqual([]);
  expect(found.mermaid).toMatch(/^sequenceDiagram\n( {2}participant \w+\n)+/);
});

it('replays the history of a seed exactly, whatever histories ran before', async () => {
  const found = await firstFound('never compensates');
  for await (const other of check(seedsFrom(1_000, 5), day)) expect(other).toBeUndefined();
  expect(await tell(found.seed, day, 'never compensates')).toEqual(found);
});

async function firstFound(flaw: Flaw): Promise<Found> {
  for await (const found of check([firstSeeds[flaw], ...seedsFrom(1, 200)], day, flaw)) if (found) return found;
  return expect.fail(`two hundred histories do not show that the system ${flaw}`);
}
