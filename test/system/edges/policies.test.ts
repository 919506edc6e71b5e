import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { Scene } from '../../crash/scene.ts';
import { eventually, type Kerf } from '../../harness/kerf.ts';
import { Operator } from '../../harness/operator.ts';
import { type Answer, type Problem, Shop, type Summary } from '../../harness/shop.ts';

const folder = mkdtempSync(join(tmpdir(), 'kerf-policies-'));
afterAll(() => rmSync(folder, { recursive: true }));

function topology(name: string, policies: object): string {
  const file = join(folder, name);
  // JSON is valid YAML.
  writeFileSync(file, JSON.stringify({ policies }));
  return file;
}

it('a call times out after the timeout of its policy, in-process and by http', async () => {
  const operations = { authorize: { timeoutMs: 300 } };
  const scene = new Scene({ TOPOLOGY: topology('time', { payments: { operations } }) });
  const kerf = await scene.start();
  const shop = await new Shop(kerf.url).join();
  await timesOut(kerf, shop);
  const order = { placement: 'http', forNow: true };
  expect((await new Operator(kerf).ask('PUT', '/modules/payments', order)).status).toBe(200);
  await timesOut(kerf, shop);
  await scene.endsWell(kerf);
});

async function timesOut(kerf: Kerf, shop: Shop): Promise<void> {
  const [slow, quick] = await Promise.all([shop.order('WAX', 1, { token: 'tok_slow', wait: 1 }), shop.order('WAX')]);
  expect([slow.status, slow.body.status, quick.status]).toEqual([202, 'pending', 201]);
  // The provider takes three seconds. The contract alone would allow five.
  const lastError = await eventually(async () => {
    const { items } = (await kerf.ops('/ops/sagas?state=running')) as { items: { id: string; lastError?: string }[] };
    return items.find(({ id }) => id.includes(slow.body.id))?.lastError;
  }, 'the first attempt to be over');
  expect(lastError).toContain('payments.authorize');
}

it("calls above a module's concurrency limit are refused immediately, and other calls continue", async () => {
  const TOPOLOGY = topology('one-at-a-time', { payments: { concurrency: 1, queue: 0, attempts: 1 } });
  const scene = new Scene({ TOPOLOGY, MODULE_PAYMENTS: 'http' });
  const kerf = await scene.start();
  const shop = await new Shop(kerf.url).join();
  const { body: order } = await shop.order('WAX');
  const { payment } = (await shop.get<Summary>(`/orders/${order.id}/summary`)).body;
  const slow = { caller: 'gateway', operation: 'payments.ofOrder', latencyMs: 2_000, forMs: 60_000 };
  expect((await new Operator(kerf).ask('PUT', '/faults', { faults: [slow] })).status).toBe(200);

  const held = shop.get<Summary>(`/orders/${order.id}/summary`);
  const ask = async () => timed(() => shop.get<Problem>(`/payments/${payment!.id}`));
  const refused = await eventually(async () => {
    const asked = await ask();
    return asked.status === 503 && asked;
  }, 'the refusal');
  expect([refused.body.code, refused.tookMs < 1_500]).toEqual(['overloaded', true]);
  const post = await timed(() => shop.post('/posts', { title: 'Still here', body: 'As ever' }));
  expect([post.status, post.tookMs < 1_500]).toEqual([201, true]);
  // Calls from orders to payments do not queue behind calls from the gateway.
  expect((await shop.order('WAX')).status).toBe(201);

  expect((await held).status).toBe(200);
  await eventually(async () => (await ask()).status === 200, 'calls to payments');
  await scene.endsWell(kerf);
});

async function timed<T>(ask: () => Promise<Answer<T>>): Promise<Answer<T> & { tookMs: number }> {
  const since = performance.now();
  const answer = await ask();
  return { ...answer, tookMs: performance.now() - since };
}
