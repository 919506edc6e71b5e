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
}
interface Advice {
  readonly edges: Edge[];
  readonly items: {
    module: string;
    costs: { remoteCallsPer: number; addedMsPer: number };
    brings: { cpuShare: number };
  }[];
}

/** How many calls there are between payments and the others for each order. */
function crossingPerOrder(edges: readonly Edge[]): { calls: number } {
  const orders = edges.filter(({ module, operation }) => `${module}.${operation}` === 'orders.place');
  const times = orders.reduce((sum, { calls }) => sum + calls, 0);
  const crossing = edges.filter(({ caller, module }) => (caller === 'payments') !== (module === 'payments'));
  return { calls: crossing.reduce((sum, { calls }) => sum + calls, 0) / times };
}

it('advises on each module, and what it says of payments comes true: as many calls cross', async () => {
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

  const is = crossingPerOrder(after.edges);
  // How much later an answer comes depends on the machine at that moment: npm run bench -- advice compares that.
  const factor = advice.costs.remoteCallsPer / is.calls;
  expect(factor).toBeGreaterThan(1 / 1.5);
  expect(factor).toBeLessThan(1.5);
  expect(advice.costs.addedMsPer).toBeGreaterThan(0);
  await scene.endsWell(kerf, load.told);
}, 60_000);
