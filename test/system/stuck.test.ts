import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deep } from '../harness/deep.ts';
import { eventually, Kerf } from '../harness/kerf.ts';
import { type Ended, Operator } from '../harness/operator.ts';
import { type Payment, Shop, type Summary } from '../harness/shop.ts';

interface Saga {
  readonly id: string;
  readonly state: string;
  readonly history: readonly { step?: string; what: string; note?: string; at: string }[];
}

describe.each([
  ['in the home process', {}],
  ['in a module process', { MODULE_ORDERS: 'http' }],
])('a stuck saga of orders, %s', (_name, env) => {
  let kerf: Kerf;
  let shop: Shop;
  let operator: Operator;
  beforeAll(async () => {
    kerf = await Kerf.start({ env });
    shop = await new Shop(kerf.url).join();
    operator = new Operator(kerf);
  });
  afterAll(async () => expect(await kerf.stop()).toBe(0));

  /** Cancels an order whose payment cannot be refunded. Resolves with its id when the saga is stuck. */
  async function stuck(): Promise<string> {
    const { body } = await shop.order('WAX');
    payment(body.id, 'voided');
    await shop.post(`/orders/${body.id}/cancel`);
    await eventually(async () => (await read(named(body.id))).state === 'stuck', 'the stuck saga');
    return body.id;
  }

  function payment(orderId: string, status: Payment['status']): void {
    const database = new Sqlite(join(kerf.dataDir, 'payments.db'), { timeout: 5_000 });
    database.prepare('UPDATE payments SET status = ? WHERE order_id = ?').run(status, orderId);
    database.close();
  }

  const named = (orderId: string) => `orders.cancellation/${orderId}`;
  const path = (id: string) => `/sagas/${encodeURIComponent(id)}`;
  const read = async (id: string) => (await operator.ask<Saga>('GET', path(id))).body;
  const told = ({ history }: Saga) => history.map(({ step, what }) => (step ? `${step} ${what}` : what));
  const ended = (id: string) => eventually(async () => (await read(id)).state === 'done' && read(id), 'its end');

  it('is listed, and shown with its history', async () => {
    const id = named(await stuck());
    const { items } = (await operator.ask<{ items: Saga[] }>('GET', '/sagas?state=stuck')).body;
    expect(items.find((each) => each.id === id)).toMatchObject({
      module: 'orders',
      name: 'cancellation',
      deadline: null,
    });
    const saga = await read(id);
    expect(told(saga)).toEqual(['refund payment stuck']);
    expect(Date.parse(saga.history[0]!.at)).not.toBeNaN();
    expect(saga).not.toHaveProperty('data');
  });

  it('continues when it is resumed after the cause is fixed', async () => {
    const orderId = await stuck();
    const id = named(orderId);
    payment(orderId, 'captured');
    expect((await operator.ask('POST', `${path(id)}/resume`)).status).toBe(200);
    expect(told(await ended(id))).toEqual([
      'refund payment stuck',
      'resumed',
      'refund payment done',
      'return stock done',
    ]);
    const summary = (await shop.get<Summary>(`/orders/${orderId}/summary`)).body;
    expect(summary.payment?.status).toBe('refunded');
    expect((await operator.ask('POST', `${path(id)}/resume`)).status).toBe(422);
  });

  it('can be completed by hand, and keeps the note', async () => {
    const id = named(await stuck());
    const settlement = { outcome: 'done', note: 'Ann: refunded at the bank' };
    const { status, body } = await operator.ask<Saga>('POST', `${path(id)}/settle`, settlement);
    expect([status, body.state]).toEqual([200, 'done']);
    expect(body.history.at(-1)).toMatchObject({ what: 'settled', note: settlement.note });
  });

  it('can be listed, shown, resumed and completed by the command', async () => {
    const succeeded = async (ended: Promise<Ended>) => {
      const { code, stdout, stderr } = await ended;
      expect([code, stderr]).toEqual([0, '']);
      return stdout;
    };
    const sagas = (...words: string[]) => succeeded(operator.runInHost('sagas', words));
    const [resumed, settled] = [await stuck(), named(await stuck())];
    expect(await succeeded(operator.run('sagas', ['list', '--state', 'stuck']))).toMatch(
      new RegExp(`^${settled} +cancellation.v1 +stuck +\\S+Z`, 'm'),
    );
    expect(await sagas('list', '--state', 'compensated')).toBe('there are no sagas that are compensated\n');
    expect(await sagas('show', settled)).toMatch(/cancellation\.v1 {2}stuck\n\S+Z {2}refund payment stuck/);
    payment(resumed, 'captured');
    expect(await sagas('resume', named(resumed))).toBe(`${named(resumed)}  goes on\n`);
    await ended(named(resumed));
    expect(await sagas('settle', settled, '--as', 'done', '--note', 'Ann: by hand')).toBe(`${settled}  done\n`);
    expect(JSON.parse(await sagas('show', settled, '--json'))).toEqual(await read(settled));
  });

  const misused: [words: string[], about: string, exitCode: number][] = [
    [[], 'name an action: list, show, resume, settle', 2],
    [['list', 'stuck'], 'unknown word "stuck"', 2],
    [['list', '--state', 'lost'], "argument 'lost' is invalid; it is one of ", 2],
    [['show'], 'missing <id>: the id, as list shows it', 2],
    [['resume', 'orders.x', '--note', 'y'], "unknown option '--note'", 2],
    [['settle', 'orders.x'], "'--as <outcome>' not specified", 2],
    [['settle', 'orders.x', '--as', 'over', '--note', 'y'], 'it is one of done, compensated', 2],
    [['settle', 'orders.x', '--as', 'done', '--note', 'y'], 'there is no saga', 1],
    [['resume', 'billing.x'], 'unknown id "billing.x"; an id begins with its module', 1],
  ];
  // The command checks its words itself, wherever the module runs.
  const once = Object.keys(env).length > 0 ? deep : {};
  it.each(misused)('rejects the command arguments %j', once, async (words, about, exitCode) => {
    const { code, stdout, stderr } = await operator.runInHost('sagas', words);
    expect([code, stdout]).toEqual([exitCode, '']);
    expect(stderr).toMatch(/^kerf: [^\n]+\n$/);
    expect(stderr).toContain(about);
  });

  const refused: [method: string, path: string, body: unknown, outcome: string][] = [
    ['GET', '/sagas/orders.nothing', undefined, '404 not-found'],
    ['GET', '/sagas/orders', undefined, '404 not-found'],
    ['GET', '/sagas?state=lost', undefined, '422 invalid-input'],
    ['GET', '/sagas?color=red', undefined, '422 invalid-input'],
    ['POST', '/sagas/orders.nothing/resume', undefined, '404 not-found'],
    ['POST', '/sagas/orders.nothing/settle', undefined, '422 invalid-input'],
    ['POST', '/sagas/orders.nothing/settle', { outcome: 'done' }, '422 invalid-input'],
    ['POST', '/sagas/orders.nothing/settle', '{', '400 malformed-body'],
    ['POST', '/sagas/orders.nothing', {}, '405 method-not-allowed'],
  ];
  it.each(refused)('%s %s %j is refused', async (method, at, body, outcome) => {
    const { status, body: problem } = await operator.ask(method, at, body);
    expect(`${status} ${problem.code}`).toBe(outcome);
    expect((await operator.as('a-token-of-somebody-else').ask(method, at, body)).status).toBe(401);
  });
});
