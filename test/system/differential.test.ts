import { afterAll, beforeAll, expect, it } from 'vitest';
import { deep } from '../harness/deep.ts';
import { Kerf, moduleNames, placements, type TestTopology } from '../harness/kerf.ts';
import { checkHistories } from './differential/check.ts';
import { type World, worldOf } from './differential/world.ts';

const topologies: TestTopology[] = [
  { name: 'all in-process', out: [] },
  { name: 'half out', out: ['members', 'orders', 'payments', 'mail', 'board'] },
  { name: 'all out', out: moduleNames },
];

const { SEED, REPLAY_PATH, RUNS } = process.env;
const runs: Kerf[] = [];
let worlds: World[];

beforeAll(async () => {
  runs.push(...(await Promise.all(topologies.map((topology) => Kerf.start({ env: placements(topology) })))));
  worlds = runs.map((kerf, index) => worldOf(topologies[index]!.name, kerf));
});
afterAll(async () => expect(await Promise.all(runs.map((kerf) => kerf.stop()))).toEqual(runs.map(() => 0)));

const check = (runs: number) =>
  checkHistories(worlds, {
    runs,
    withinMs: 540_000,
    seed: SEED === undefined ? undefined : Number(SEED),
    path: REPLAY_PATH,
  });

const patient = { timeout: 600_000 };
it('random histories look the same in every placement of the modules', patient, () => check(Number(RUNS ?? 5)));
it('more random histories look the same in every placement', { ...deep, ...patient }, () => check(30));
