import { describe, expect, it, onTestFinished } from 'vitest';
import { Clients } from '../harness/clients.ts';
import { deep } from '../harness/deep.ts';
import { eventually, type Kerf, type ModuleName, moduleNames, placements } from '../harness/kerf.ts';
import { RoundRobinProxy } from '../harness/proxy.ts';
import { Shop } from '../harness/shop.ts';
import { Scene } from './scene.ts';

/** Number of stops for each shape. `STOPS=100 npm run test:deep -- crash/stops` runs a long test. */
const stops = Number(process.env.STOPS ?? 3);
const shapes: { name: string; out: readonly ModuleName[] }[] = [
  { name: 'in one process', out: [] },
  { name: 'all out', out: process.env.STOPS ? moduleNames : ['catalog', 'inventory', 'orders', 'members'] },
];
const paths = ['/products/OIL', '/orders', '/members/me'];
/** So long that only a second signal of the test ends the delay. */
const DRAIN_DELAY_MS = '60000';

async function readiness(url: string): Promise<unknown> {
  const answer = await fetch(`${url}/readyz`);
  return [answer.status, ((await answer.json()) as { status: string }).status];
}

/** Ends the drain delay with SIGINT, and expects a clean exit. */
async function endsInOrder(kerf: Kerf): Promise<void> {
  kerf.process.kill('SIGINT');
  expect(await kerf.exited()).toBe(0);
}

describe.each(shapes)('a system stopped under load, $name', (shape) => {
  const resetsNoRequest = async (stops: number) => {
    const scene = new Scene({ ...placements(shape), DRAIN_DELAY_MS });
    for (let stop = 0; stop < stops; stop++) {
      const kerf = await scene.start();
      const { url } = kerf;
      const token = (await new Shop(url).join({ email: `buyer-${stop}@example.com` })).token;
      const clients = [false, true].map((keepAlive) => new Clients({ url, paths, token, count: 10, keepAlive }));
      const served = async (of: 'answers' | 'last', count: number) =>
        eventually(async () => clients.every(({ outcome }) => outcome[of] >= count), `${count} ${of}`);
      await served('answers', 20);
      kerf.process.kill('SIGTERM');
      await served('last', 20);
      expect(await readiness(url)).toEqual([503, 'stopping']);
      await endsInOrder(kerf);
      await Promise.all(clients.map(({ ended }) => ended));
      expect(clients.map(({ outcome }) => outcome.failures)).toEqual([[], []]);
    }
  };
  it('resets no request in flight', () => resetsNoRequest(1));
  it('resets no request in flight during many stops', { ...deep, timeout: 180_000 + stops * 30_000 }, () =>
    resetsNoRequest(stops),
  );
});

it('is replaced behind a proxy under load without a lost request', async () => {
  const scene = new Scene({ DRAIN_DELAY_MS });
  const proxy = new RoundRobinProxy();
  onTestFinished(() => proxy.close());
  const url = await proxy.open();
  const started = async () => {
    const kerf = await scene.start();
    proxy.add(kerf.url);
    await eventually(async () => proxy.isReady(kerf.url), 'the proxy to find it ready');
    return kerf;
  };
  let before = await started();
  const { token } = await new Shop(url).join();
  const clients = new Clients({ url, paths, token, count: 10, keepAlive: true });
  for (let restart = 0; restart < 2; restart++) {
    const next = await started();
    before.process.kill('SIGTERM');
    await eventually(async () => !proxy.isReady(before.url), 'the proxy to skip it');
    await endsInOrder(before);
    before = next;
  }
  const { answers, failures } = await clients.stop();
  expect([answers > 0, failures]).toEqual([true, []]);
  before.process.kill('SIGTERM');
  await endsInOrder(before);
});
