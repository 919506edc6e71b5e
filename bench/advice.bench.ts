import { Kerf, newDataDir } from '../test/harness/kerf.ts';
import { Operator } from '../test/harness/operator.ts';
import { Shop } from '../test/harness/shop.ts';
import { ConstantLoad } from './cut/load.ts';

// Compares the advice about payments with a measurement after its extraction: the added time of an order's calls.
interface Advice {
  readonly edges: { caller: string; module: string; operation: string; calls: number; ms: number }[];
  readonly items: { module: string; costs: { addedMsPer: number } }[];
}

const [rounds, seconds, rate] = [5, 5, 60];
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const dataDir = newDataDir();
const kerf = await Kerf.start({ dataDir, env: { NODE_ENV: 'production' } });
const operator = new Operator(kerf);
const shop = new Shop(kerf.url);
const email = `${crypto.randomUUID()}@example.com`;
await shop.post('/members', { email, password: 'correct horse', name: 'Member' });
const { token } = (await shop.post<{ token: string }>('/sessions', { email, password: 'correct horse' })).body;
const load = new ConstantLoad(kerf.url, [token], rate, 0);
await pause(10_000);

const factors: number[] = [];
for (let round = 0; round < rounds; round++) {
  const before = await watch();
  await place('http');
  await pause(5_000);
  const after = await watch();
  await place('in-process');
  const said = before.items.find(({ module }) => module === 'payments')?.costs.addedMsPer ?? 0;
  const measured = msPerOrder(after) - msPerOrder(before);
  factors.push(said / measured);
  console.log(
    `said ${said.toFixed(2)} ms later for each order, measured ${measured.toFixed(2)} ms: ${(said / measured).toFixed(2)} × the truth`,
  );
}
await load.stop();
await kerf.stop();
const sorted = factors.toSorted((one, other) => one - other);
console.log(
  `median ${sorted[Math.floor(rounds / 2)]?.toFixed(2)} × the truth (${sorted[0]?.toFixed(2)}–${sorted.at(-1)?.toFixed(2)}); aim: 0.67 to 1.5`,
);

async function watch(): Promise<Advice> {
  return (await operator.ask<Advice>('GET', `/advice?seconds=${seconds}&per=orders.place`)).body;
}

async function place(placement: string): Promise<void> {
  await operator.ask('PUT', '/modules/payments', { placement, forNow: true });
}

function msPerOrder({ edges }: Advice): number {
  const orders = edges.find(({ module, operation }) => module === 'orders' && operation === 'place')?.calls ?? 1;
  const crossing = edges.filter(({ caller, module }) => (caller === 'payments') !== (module === 'payments'));
  return crossing.reduce((sum, { calls, ms }) => sum + calls * ms, 0) / orders;
}
