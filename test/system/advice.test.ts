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
  readonly price: { readonly ms: number };
  readonly edges: Edge[];
  readonly items: { module: string; costs: { remoteCallsPer: number; addedMsPer: number } }[];
}

/** Returns, for each order, the number of calls between payments and other modules, and their total time. */
function crossingPerOrder({ edges }: Advice): { calls: number; ms: number } {
  const orders = edges.filter(({ module, operation }) => `${module}.${operation}` === 'orders.place');
  const times = orders.reduce((sum, { calls }) => sum + calls, 0);
  const crossing = edges.filter(({ caller, module }) => (caller === 'payments') !== (module === 'payments'));
  return {
    calls: crossing.reduce((sum, { calls }) => sum + calls, 0) / times,
    ms: crossing.reduce((sum, { calls, ms }) => sum + calls * ms, 0) / times,
  };
}

const isAbout = (truth: number) => (said: number) => said > truth / 1.5 && said < truth * 1.5;

/** Returns whether the measured value lies between the two predictions, with a tolerance of factor 1.5. */
const surround = (truth: number) => (said: number[]) =>
  Math.min(...said) < truth * 1.5 && Math.max(...said) > truth / 1.5;

it('predicts, for payments, the number of calls that cross the process boundary and the added latency', async () => {
  // A network round trip of 200 ms outweighs the processor time of a call, also on a busy machine. The light load keeps the added load small.
  const scene = new Scene({ PARITY: 'fast', NODE_OPTIONS: '--import ./test/harness/slow-network.mjs' });
  const kerf = await scene.start();
  const operator = new Operator(kerf);
  const load = new SteadyLoad(await new Shop(kerf.url).join(), [], 100);
  const watch = async () => {
    await load.answers(10);
    const { status, body } = await operator.ask<Advice>('GET', '/advice?seconds=3&per=orders.place');
    expect([status, body]).toEqual([200, expect.objectContaining({ items: expect.anything() })]);
    return body;
  };
  const before = await watch();
  const said = before.items.find(({ module }) => module === 'payments')!.costs;
  expect((await operator.ask('PUT', '/modules/payments', { placement: 'http', forNow: true })).status).toBe(200);
  const after = await watch();
  expect(await load.stop()).toEqual([]);

  expect(said.remoteCallsPer).toSatisfy(isAbout(crossingPerOrder(after).calls));
  // The price of a call varies with the load of the machine. Use the price before and the price after the extraction.
  const later = crossingPerOrder(after).ms - crossingPerOrder(before).ms;
  const saidNow = (said.addedMsPer * after.price.ms) / before.price.ms;
  expect([said.addedMsPer, saidNow]).toSatisfy(surround(later));
  await scene.endsWell(kerf, load.orderAnswers);
});
