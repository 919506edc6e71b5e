import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { expect, it, onTestFinished } from 'vitest';
import { eventually, type Kerf, type ModuleName, placements } from '../harness/kerf.ts';
import { type Answer, type Message, type Order, type Page, type Problem, Shop } from '../harness/shop.ts';
import { topologyFile } from '../harness/topology-file.ts';
import { killModule, Scene } from './scene.ts';

/** Callers of these modules may wait for this long, so that a caller that waits for an unavailable module is seen. */
const patienceMs = 60_000;
function patientTopology(...modules: ModuleName[]): string {
  return topologyFile(`policies:\n${modules.map((name) => `  ${name}: { timeoutMs: ${patienceMs} }\n`).join('')}`);
}

it('works without a module that does not listen at its address, and with it once it listens', async () => {
  const port = await closedPort();
  const scene = new Scene({ TOPOLOGY: patientTopology('payments'), MODULE_PAYMENTS: `http://127.0.0.1:${port}` });
  const kerf = await scene.start();
  const shop = await new Shop(kerf.url).join();
  await namesAway(kerf, ['payments']);
  await goesOn(shop);
  const { status, body } = await shop.order('OIL', 1, { wait: 0 });
  expect(status).toBe(202);
  await unavailable(() => shop.get(`/payments/${body.id}`));
  await misses(shop, body.id, 'payments');

  await scene.start({
    words: ['--only', 'payments'],
    env: { INTERNAL_PORT: String(port), HOME_ADDRESS: kerf.announced.internal },
  });
  await confirmed(shop, body.id);
  await namesAway(kerf, []);
  await scene.endsWell(kerf);
});

it('works while a killed module cannot start, and completes its work afterwards', async () => {
  const out: ModuleName[] = ['payments', 'mail', 'notifications'];
  const scene = new Scene({ TOPOLOGY: patientTopology(...out), ...placements({ name: 'three out', out }) });
  const kerf = await scene.start();
  const shop = await new Shop(kerf.url).join();
  const before = await shop.order('OIL');
  const free = await Promise.all(out.map((module) => keepDown(scene, kerf, module)));
  await namesAway(kerf, out);
  await goesOn(shop);
  await shop.join();
  const { status, body } = await shop.order('OIL', 1, { wait: 0 });
  expect(status).toBe(202);
  await unavailable(() => shop.get('/messages'));
  await misses(shop, before.body.id, 'payments', 'notifications');

  for (const release of free) release();
  await confirmed(shop, body.id);
  await eventually(async () => {
    const { body: messages } = await shop.get<Page<Message>>('/messages');
    return messages.items?.some(({ subject, status: sent }) => subject.includes(body.id) && sent === 'sent');
  }, 'the mail about the order');
  await namesAway(kerf, []);
  await scene.endsWell(kerf);
});

it('answers immediately while a killed module restarts', async () => {
  const out: ModuleName[] = ['orders', 'payments'];
  const scene = new Scene({ TOPOLOGY: patientTopology(...out), ...placements({ name: 'two out', out }) });
  const kerf = await scene.start();
  const shop = await new Shop(kerf.url).join();
  const { body } = await shop.order('OIL');
  await Promise.all([killModule(kerf, 'orders'), killModule(kerf, 'payments')]);
  await goesOn(shop);
  const answers = await Promise.all([shop.get('/orders'), shop.get(`/payments/${body.id}`)].map(inTime));
  for (const answer of answers) expect([200, 404, 503]).toContain(answer.status);
  await eventually(async () => (await shop.get('/orders')).status === 200, 'the restart of orders');
  expect((await shop.order('OIL')).status).toBe(201);
  await scene.endsWell(kerf);
});

/** Checks the features that do not need the unavailable modules. */
async function goesOn(shop: Shop): Promise<void> {
  const post = await inTime(shop.post<{ id: string }>('/posts', { title: 'Still here', body: 'As ever' }));
  expect(post.status).toBe(201);
  const paths = ['/products', '/products/OIL', '/posts', `/posts/${post.body.id}`, '/members/me', '/healthz'];
  const answers = await Promise.all(paths.map((path) => inTime(shop.get(path))));
  expect(answers.map(({ status }) => status)).toEqual(paths.map(() => 200));
}

async function unavailable(ask: () => Promise<Answer<unknown>>): Promise<void> {
  const { status, headers, body } = await inTime(ask());
  expect(status).toBe(503);
  expect(headers.get('content-type')).toMatch(/^application\/problem\+json/);
  expect((body as Problem).code).toBe('unavailable');
}

async function misses(shop: Shop, orderId: string, ...modules: string[]): Promise<void> {
  const { status, body } = await inTime(shop.get<{ order: Order; missing: string[] }>(`/orders/${orderId}/summary`));
  expect([status, body.order.id, body.missing]).toEqual([200, orderId, modules]);
}

/** Checks that an answer does not wait for an unavailable module. */
async function inTime<T>(answer: Promise<T>): Promise<T> {
  const askedAt = performance.now();
  const value = await answer;
  expect(performance.now() - askedAt).toBeLessThan(patienceMs / 4);
  return value;
}

async function namesAway({ url }: Kerf, modules: ModuleName[]): Promise<void> {
  const away = async () => (await new Shop(url).get<{ away: string[] }>('/readyz')).body.away;
  await eventually(async () => (await away()).sort().join() === [...modules].sort().join(), `away: ${modules}`);
}

async function confirmed(shop: Shop, id: string): Promise<void> {
  const status = async () => (await shop.get<Order>(`/orders/${id}`)).body.status;
  await eventually(async () => (await status()) === 'confirmed', 'the confirmation');
}

/** Kills a module and locks its data, so that it cannot start. Returns a function that releases the lock. */
async function keepDown({ dataDir }: Scene, kerf: Kerf, module: ModuleName): Promise<() => void> {
  const lock = new Sqlite(join(dataDir, `${module}.lock`), { timeout: 0 });
  onTestFinished(() => void lock.close());
  lock.pragma('locking_mode = EXCLUSIVE');
  await eventually(async () => {
    await killModule(kerf, module);
    return taken(lock);
  }, `the end of ${module}`);
  return () => lock.close();
}

function taken(lock: InstanceType<typeof Sqlite>): boolean {
  try {
    lock.exec('BEGIN EXCLUSIVE');
    return true;
  } catch {
    return false;
  }
}

async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
