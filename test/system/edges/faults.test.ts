import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { read } from '../../crash/ledger.ts';
import { Scene } from '../../crash/scene.ts';
import { deep } from '../../harness/deep.ts';
import { eventually, freePort, Kerf } from '../../harness/kerf.ts';
import { Operator } from '../../harness/operator.ts';
import { type Order, Shop, type Summary } from '../../harness/shop.ts';

const toPayments = { caller: 'orders', operation: 'payments.*', forMs: 60_000 };
const refused = { ...toPayments, error: 'unavailable' };

const folder = mkdtempSync(join(tmpdir(), 'kerf-faults-'));
afterAll(() => rmSync(folder, { recursive: true }));
const topology = join(folder, 'topology.yaml');
// A short timeout, so that no test waits long for a lost call.
writeFileSync(topology, 'policies:\n  payments: { timeoutMs: 500 }\n');

interface Listed {
  items: Record<string, unknown>[];
  missed?: string[];
}

class FaultAdmin {
  readonly operator: Operator;
  readonly kerf: Kerf;

  constructor(kerf: Kerf) {
    this.kerf = kerf;
    this.operator = new Operator(kerf);
  }

  async put(...faults: object[]): Promise<Listed> {
    const { status, body } = await this.operator.ask<Listed>('PUT', '/faults', { faults });
    expect(status, JSON.stringify(body)).toBe(200);
    return body;
  }

  async items(): Promise<Listed['items']> {
    return (await this.operator.ask<Listed>('GET', '/faults')).body.items;
  }
}

const layouts: [name: string, env: Record<string, string>][] = [
  ['payments in the process of orders', {}],
  ['payments over http, orders over grpc', { MODULE_PAYMENTS: 'http', MODULE_ORDERS: 'grpc' }],
];

describe.each(layouts)('faults of calls from orders to payments, %s', (_name, env) => {
  let kerf: Kerf;
  let admin: FaultAdmin;
  let shop: Shop;
  beforeAll(async () => {
    kerf = await Kerf.start({ env: { ...env, PARITY: 'strict', TOPOLOGY: topology } });
    admin = new FaultAdmin(kerf);
    shop = await new Shop(kerf.url).join();
  });
  afterAll(async () => expect(await kerf.stop()).toBe(0));

  const met: [fault: object, status: number, atLeastMs: number][] = [
    [{ latencyMs: 200 }, 201, 400],
    [{ error: 'unavailable' }, 202, 1_000],
    [{ lose: 'call' }, 202, 1_000],
    [{ lose: 'answer' }, 202, 1_000],
    [{ double: true }, 201, 0],
    [{ error: 'unavailable', share: 0 }, 201, 0],
  ];
  it.each(met)('%j: an order gets status %i and is paid exactly once', async (fault, told, atLeastMs) => {
    expect(await admin.put({ ...toPayments, ...fault })).toMatchObject({ items: [fault], missed: [] });
    const askedAt = performance.now();
    const { status, body } = await shop.order('WAX', 1, { wait: told === 201 ? 10 : 1 });
    expect([status, performance.now() - askedAt >= atLeastMs]).toEqual([told, true]);
    expect(await admin.put()).toEqual({ items: [], missed: [] });
    await paidOnce(body.id);
  });

  it('do not affect calls of other callers or operations', async () => {
    await admin.put({ ...refused, caller: 'gateway' }, { ...refused, operation: 'inventory.restock' });
    expect((await shop.order('WAX')).status).toBe(201);
    await admin.put(refused);
    expect((await shop.get('/products/WAX')).status).toBe(200);
    await admin.put();
  });

  it('expire', async () => {
    await admin.put({ ...refused, forMs: 400 });
    const { status, body } = await shop.order('WAX', 1, { wait: 0 });
    expect(status).toBe(202);
    await paidOnce(body.id);
    expect(await admin.items()).toEqual([]);
  });

  const isOut = Object.keys(env).length > 0;
  if (isOut) describe('when they are invalid', () => invalidFaults(() => admin));

  // The command does not see where the modules run.
  const once = isOut ? {} : deep;
  it('can be put, listed and cleared by the command', once, async () => {
    const faults = (...words: string[]) => admin.operator.runInHost('faults', words);
    const until = String.raw`until \d{4}-\d\d-\d\dT[\d:.]+Z`;
    const words = ['--error', 'unavailable', '--latency', '5', '--share', '0.5', '--for', '30'];
    const put = await admin.operator.run('faults', ['put', 'orders', 'payments.*', ...words]);
    expect(put).toMatchObject({ code: 0, stderr: '' });
    const line = `orders  →  payments\\.\\*  5 ms late, refused as unavailable, 50 % of the calls  ${until}`;
    expect(put.stdout).toMatch(new RegExp(`^${line}\n$`));
    const another = await faults('put', '*', 'mail.send', '--double', '--json');
    expect(JSON.parse(another.stdout).items).toMatchObject([{ caller: 'orders' }, { caller: '*', double: true }]);
    const replaced = await faults('put', 'orders', 'payments.*', '--lose', 'answer');
    expect(replaced.stdout).toMatch(new RegExp(`orders  →  payments\\.\\*  answer lost  ${until}\n$`));
    expect((await faults('list')).stdout.split('\n')).toHaveLength(3);
    expect(await faults('clear')).toEqual({ code: 0, stdout: 'there are no faults\n', stderr: '' });
    expect(await admin.items()).toEqual([]);
  });

  async function paidOnce(orderId: string): Promise<void> {
    const status = async () => (await shop.get<Order>(`/orders/${orderId}`)).body.status;
    await eventually(async () => (await status()) === 'confirmed', 'the confirmation');
    const { payment } = (await shop.get<Summary>(`/orders/${orderId}/summary`)).body;
    expect(payment).toMatchObject({ orderId, status: 'captured' });
    const all = read<{ order_id: string }>(kerf.dataDir, 'payments', 'select order_id from payments');
    expect(all.filter(({ order_id }) => order_id === orderId)).toHaveLength(1);
  }
});

/** Tests faults that the system refuses, in one layout: it validates them before it looks for the modules. */
function invalidFaults(of: () => FaultAdmin): void {
  let admin: FaultAdmin;
  beforeAll(async () => {
    admin = of();
    await admin.put(refused);
  });
  afterAll(() => admin.put());

  const inHome = { caller: 'orders', operation: 'payments.*', forMs: 1_000 };
  const bad: [faults: unknown, path: string, about: string][] = [
    [[{ ...refused, caller: 'billing' }], 'faults.0.caller', 'there is no module "billing"'],
    [[refused, { ...refused, operation: 'payments.steal' }], 'faults.1.operation', 'no operation "steal"'],
    [[{ ...refused, caller: 'board' }], 'faults.0.operation', 'board does not call payments: '],
    [[{ ...refused, operation: 'billing.*' }], 'faults.0.operation', 'payments'],
    [[{ ...refused, operation: 'payments' }], 'faults.0.operation', 'payments'],
    [[{ ...refused, operation: 'payments.authorize.x' }], 'faults.0.operation', 'payments'],
    [[{ ...refused, operation: 'payments.toString' }], 'faults.0.operation', 'no operation "toString"'],
    [[{ ...refused, error: 'tired' }], 'faults.0.error', 'must be one of'],
    [[{ ...refused, error: 'toString' }], 'faults.0.error', 'must be one of'],
    [[inHome], 'faults.0.latencyMs', 'say what is to happen'],
    [[{ ...inHome, latencyMs: 0 }], 'faults.0.latencyMs', 'say what is to happen'],
    [[{ ...refused, latencyMs: 60_001 }], 'faults.0.latencyMs', '60000'],
    [[{ ...refused, jitterMs: -1 }], 'faults.0.jitterMs', '0'],
    [[{ ...refused, share: 1.1 }], 'faults.0.share', '1'],
    [[{ ...refused, lose: 'patience' }], 'faults.0.lose', 'answer'],
    [[{ ...refused, forMs: 0 }], 'faults.0.forMs', '1'],
    [[{ ...refused, forMs: 3_600_001 }], 'faults.0.forMs', '3600000'],
    [[{ ...refused, forMs: undefined }], 'faults.0.forMs', ''],
    [[{ ...refused, until: 1 }], 'faults.0.until', ''],
    [Array.from({ length: 101 }, () => refused), 'faults', '100'],
    [refused, 'faults', ''],
    [undefined, 'faults', ''],
  ];
  it.each(bad)('%j are refused with the invalid field, and change nothing', async (faults, path, about) => {
    const asked = await admin.operator.ask<{ code: string; detail: string; issues: { path: string }[] }>(
      ...['PUT', '/faults', { faults }],
    );
    expect([asked.status, asked.body.code]).toEqual([422, 'invalid-input']);
    expect(asked.body.issues[0]!.path).toBe(path);
    expect(asked.body.detail).toContain(about);
    expect(await admin.items()).toMatchObject([{ error: 'unavailable' }]);
  });

  it('are refused by the command with a one-line message', async () => {
    const misused: [words: string[], about: string, exitCode: number][] = [
      [[], 'name an action: list, put, clear', 2],
      [['put', 'orders'], 'missing <operation>: payments.authorize, ', 2],
      [['list', 'orders'], 'unknown word "orders"', 2],
      [['list', '--double'], "unknown option '--double'", 2],
      [['put', 'orders', 'payments.*', '--latency', 'long'], '--latency takes a number', 2],
      [['put', 'orders', 'payments.*', '--latency', ''], "'--latency <ms>' needs its value", 2],
      [['put', 'orders', 'payments.*', '--for', '-1'], "'--for", 2],
      [['put', 'orders', 'payments.*'], 'say what is to happen', 2],
      [['put', 'billing', 'payments.*', '--double'], 'there is no module "billing"', 1],
      [['put', 'orders', 'payments.*', '--share', '2'], 'share', 2],
      [['put', 'orders', 'payments.*', '--double', '--for', '4000'], '3600', 2],
    ];
    const all = await Promise.all(misused.map(([words]) => admin.operator.runInHost('faults', words)));
    for (const [at, { code, stdout, stderr }] of all.entries()) {
      const [, about, exitCode] = misused[at]!;
      expect([code, stdout]).toEqual([exitCode, '']);
      expect(stderr).toMatch(/^kerf: [^\n]+\n$/);
      expect(stderr).toContain(about);
    }
    expect(await admin.items()).toMatchObject([{ error: 'unavailable' }]);
  });
}

it('faults are refused for in-process calls with PARITY=fast, and injected into remote calls', async () => {
  const scene = new Scene({ PARITY: 'fast', MODULE_PAYMENTS: 'http' });
  const kerf = await scene.start();
  const admin = new FaultAdmin(kerf);
  for (const operation of ['inventory.*', 'inventory.reserve']) {
    const { status, body } = await admin.operator.ask('PUT', '/faults', { faults: [{ ...refused, operation }] });
    expect(status).toBe(422);
    expect(body.detail).toMatch(/^faults\.0\.operation: .*PARITY is fast: set it to strict, or move a module out$/);
  }
  await admin.put(refused);
  const shop = await new Shop(kerf.url).join();
  const { status } = await shop.order('WAX', 1, { wait: 1 });
  expect(status).toBe(202);
  await admin.put();
  await scene.endsWell(kerf);
});

it('a restarted module process receives the faults again', async () => {
  const scene = new Scene({ MODULE_ORDERS: 'http?instances=2' });
  const kerf = await scene.start();
  const admin = new FaultAdmin(kerf);
  const shop = await new Shop(kerf.url).join();
  await admin.put(refused);
  const before = await kerf.readyPidsOf('orders');
  for (const pid of before) process.kill(pid, 'SIGKILL');
  await eventually(async () => {
    const pids = await kerf.readyPidsOf('orders');
    return pids.length === 2 && pids.every((pid) => !before.includes(pid));
  }, 'both restarted processes');
  const answers = await Promise.all(Array.from({ length: 6 }, () => shop.order('WAX', 1, { wait: 1 })));
  expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 202));
  await admin.put();
  await scene.endsWell(kerf);
});

it('faults reach every separately started instance, and the answer names unreachable instances', async () => {
  const [homePort, ...ports] = await Promise.all([freePort(), freePort(), freePort()]);
  const addresses = ports.map((port) => `http://127.0.0.1:${port}`);
  const scene = new Scene({
    ...{ MODULE_ORDERS: addresses.join(), HOME_ADDRESS: `http://127.0.0.1:${homePort}`, PARITY: 'fast' },
    MODULE_PAYMENTS: 'http',
  });
  const run = (port: number) => scene.start({ words: ['--only', 'orders'], env: { INTERNAL_PORT: String(port) } });
  const [one, other] = await Promise.all(ports.map(run));
  const home = await scene.start({ env: { INTERNAL_PORT: String(homePort) } });
  const admin = new FaultAdmin(home);
  const shop = await new Shop(home.url).join();
  // Calls alternate between the instances: each instance gets half of the orders.
  const placed = async () =>
    (await Promise.all([1, 2, 3, 4].map(() => shop.order('WAX', 1, { wait: 2 })))).map(({ status }) => status);
  expect((await admin.put(refused)).missed).toEqual([]);
  expect(await placed()).toEqual([202, 202, 202, 202]);

  expect(await other!.stop()).toBe(0);
  expect((await admin.put()).missed).toEqual([`orders at ${other!.announced.internal}`]);
  expect(await placed()).toEqual([201, 201, 201, 201]);
  const listed = await admin.operator.runInHost('faults', ['clear']);
  expect(listed.stdout).toContain(`not told, since they cannot be reached: orders at ${addresses[1]}`);
  expect(await one!.stop()).toBe(0);
});
