import { expect, it } from 'vitest';
import { read } from '../../crash/ledger.ts';
import { Scene } from '../../crash/scene.ts';
import { deep } from '../../harness/deep.ts';
import { eventually, freePort, type Kerf } from '../../harness/kerf.ts';
import { SteadyLoad } from '../../harness/load.ts';
import { type Answer, type Outcome, Shop, type Summary } from '../../harness/shop.ts';

async function nobodyNotices(via: string): Promise<void> {
  const scene = new Scene({ MODULE_ORDERS: `${via}?instances=3` });
  const kerf = await scene.start();
  const first = await kerf.readyPidsOf('orders');
  expect(new Set(first).size).toBe(3);
  const load = new SteadyLoad(await new Shop(kerf.url).join(), ['/orders']);
  await load.answers(5);
  process.kill(first[0]!, 'SIGKILL');
  await load.answers(5);
  const back = await eventually(async () => {
    const ready = await kerf.readyPidsOf('orders');
    return ready.length === 3 && ready;
  }, 'the third instance');
  expect(back).not.toContain(first[0]);

  // Kill the other original processes, so that only the restarted one can answer.
  for (const pid of first.slice(1)) process.kill(pid, 'SIGKILL');
  await load.answers(10);
  expect(await load.stop()).toEqual([]);
  await allConfirmed(scene, kerf, load.orderAnswers);
}

const title = 'one of three instances over %s is killed without a failed request';
it.each(['http'])(title, nobodyNotices);
it.each(['grpc'])(title, deep, nobodyNotices);

it('one of two separately started instances stops cleanly, and gets calls again after its restart', async () => {
  const [homePort, ...ports] = await Promise.all([freePort(), freePort(), freePort()]);
  const scene = new Scene({
    MODULE_PAYMENTS: ports.map((port) => `http://127.0.0.1:${port}`).join(),
    HOME_ADDRESS: `http://127.0.0.1:${homePort}`,
  });
  const run = (port: number) => scene.start({ words: ['--only', 'payments'], env: { INTERNAL_PORT: String(port) } });
  const [one, other] = await Promise.all(ports.map(run));
  const home = await scene.start({ env: { INTERNAL_PORT: String(homePort) } });
  const shop = await new Shop(home.url).join();
  const { body: before } = await shop.order('WAX');
  const { payment } = (await shop.get<Summary>(`/orders/${before.id}/summary`)).body;
  const load = new SteadyLoad(shop, [`/payments/${payment!.id}`]);
  await load.answers(5);
  expect(await one!.stop()).toBe(0);
  await load.answers(10);

  await run(ports[0]!);
  await load.answers(15);
  expect(await other!.stop()).toBe(0);
  await load.answers(10);
  expect(await load.stop()).toEqual([]);
  await allConfirmed(scene, home, load.orderAnswers);
});

async function allConfirmed(scene: Scene, kerf: Kerf, orderAnswers: Map<string, Answer<Outcome>>): Promise<void> {
  await scene.endsWell(kerf, orderAnswers);
  const rows = read<{ key: string; status: string }>(scene.dataDir, 'orders', 'select key, status from orders');
  expect(rows.filter(({ status }) => status !== 'confirmed')).toEqual([]);
  expect([...orderAnswers.keys()].filter((key) => rows.filter((row) => row.key === key).length !== 1)).toEqual([]);
}
