import { expect, it } from 'vitest';
import { Scene } from '../crash/scene.ts';
import { SteadyLoad } from '../harness/load.ts';
import { Operator } from '../harness/operator.ts';
import { Shop } from '../harness/shop.ts';

interface Edge {
  readonly caller: string;
  readonly module: string;
  readonly operation: string;
  readonly calls: number;
  readonly ms: number;
}
interface Advice {
  readonly edges: Edge[];
  readonly items: {
    module: string;
    costs: { remoteCallsPer: number; addedMsPer: number };
    brings: { cpuShare: number };
  }[];
}

/** What the calls between payments and the others take for each order. */
function spentPerOrder(edges: readonly Edge[]): { calls: number; ms: number } {
  const orders = edges.filter(({ module, operation }) => `${module}.${operation}` === 'orders.place');
  const times = orders.reduce((sum, { calls }) => sum + calls, 0);
  const crossing = edges.filter(({ caller, module }) => (caller === 'payments') !== (module === 'payments'));
  const total = (of: (edge: Edge) => number) => crossing.reduce((sum, edge) => sum + of(edge), 0);
  return { calls: total(({ calls }) => calls) / times, ms: total(({ calls, ms }) => calls * ms) / times };
}

it('advises on each module, and what it says of payments comes true within a factor of 1.5', async () => {
  const scene = new Scene({ PARITY: 'fast' });
  const kerf = await scene.start();
  const operator = new Operator(kerf);
  const load = new SteadyLoad(await new Shop(kerf.url).join(), [], 15);
  await load.answers(200);
  const before = (await operator.ask<Advice>('GET', '/advice?seconds=4')).body;
  const advice = before.items.find(({ module }) => module === 'payments')!;
  await operator.ask('PUT', '/modules/payments', { placement: 'http', forNow: true });
  await load.answers(300);
  const after = (await operator.ask<Advice>('GET', '/advice?seconds=4')).body;
  expect(await load.stop()).toEqual([]);

  const [was, is] = [spentPerOrder(before.edges), spentPerOrder(after.edges)];
  expect(advice.costs.remoteCallsPer / is.calls).toBeCloseTo(1, 0);
  const factor = advice.costs.addedMsPer / (is.ms - was.ms);
  expect(factor).toBeGreaterThan(1 / 1.5);
  expect(factor).toBeLessThan(1.5);
  await scene.endsWell(kerf, load.told);
}, 60_000);
