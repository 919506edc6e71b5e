import { afterEach, beforeEach, expect, it } from 'vitest';
import { eventually, type Kerf } from '../../harness/kerf.ts';
import { type Order, type Payment, Shop } from '../../harness/shop.ts';
import { rush, wishes } from '../rush.ts';
import { killModule, Scene } from '../scene.ts';
import { FakeProvider } from './fake-provider.ts';

let provider: FakeProvider;
let scene: Scene;
let kerf: Kerf;
let shop: Shop;

beforeEach(async () => {
  provider = new FakeProvider();
});

afterEach(() => provider.close());

it('declines an order when the provider declines the payment', async () => {
  provider.fate = ({ body }) => (body.token === 'tok_poor' ? 402 : 201);
  await begin();
  const { status, body } = await shop.order('OIL', 1, { token: 'tok_poor' });
  expect([status, body.code]).toEqual([402, 'payment-declined']);
  expect(await left()).toBe(100_000);
  await scene.endsWell(kerf);
  expect(provider.effects).toEqual([]);
});

it('repeats each request with its own Idempotency-Key, so that a lost answer causes no second charge', async () => {
  provider.fate = (_, times) => (['lost', 500] as const)[times - 1] ?? 201;
  await begin();
  expect((await shop.order('OIL')).status).toBe(201);
  await scene.endsWell(kerf);
  const keys = Map.groupBy(provider.asked, ({ path }) => path.replace(/.*\//, ''));
  expect([...keys.keys()]).toEqual(['payments', 'capture']);
  for (const asked of keys.values()) {
    expect(asked).toHaveLength(3);
    expect(new Set(asked.map(({ key }) => key)).size).toBe(1);
  }
});

it('confirms an order after an outage of the provider', async () => {
  provider.fate = () => 'refused';
  await begin();
  const { status, body } = await shop.order('OIL', 1, { wait: 0 });
  expect(status).toBe(202);
  await eventually(async () => provider.asked.length > 2, 'some attempts');
  provider.fate = () => 201;
  await order(body.id, 'confirmed');
  await scene.endsWell(kerf);
  expect(provider.effects).toHaveLength(2);
});

it('rejects an order and releases its stock when the provider is down until the deadline', async () => {
  provider.fate = ({ path }) => (path.endsWith('/void') ? 201 : 'lost');
  await begin({ ORDERS_CHECKOUT_SECONDS: '1' });
  const { body } = await shop.order('OIL', 1, { wait: 0 });
  expect(await order(body.id, 'rejected')).toMatchObject({ reason: 'unavailable' });
  expect(await left()).toBe(100_000);
  expect(provider.effects.at(-1)).toMatch(/\/void$/);
  await scene.endsWell(kerf);
});

it('delays the rejection until the provider knows that the payment is void', async () => {
  provider.fate = () => 'refused';
  await begin({ ORDERS_CHECKOUT_SECONDS: '1' });
  const { body } = await shop.order('OIL', 1, { wait: 0 });
  const voids = () => provider.asked.filter(({ path }) => path.endsWith('/void')).length;
  await eventually(async () => voids() > 2, 'attempts to void');
  await order(body.id, 'pending');
  provider.fate = () => 201;
  await order(body.id, 'rejected');
  await scene.endsWell(kerf);
});

it('confirms an order that the provider may have charged, however late the answer is', async () => {
  provider.fate = ({ path }) => (path.endsWith('/capture') ? 'lost' : 201);
  await begin({ ORDERS_CHECKOUT_SECONDS: '1' });
  const { body } = await shop.order('OIL', 1, { wait: 0 });
  const deadline = Date.now() + 1_000;
  await eventually(async () => Date.now() > deadline, 'the deadline');
  const { length: before } = provider.asked;
  await eventually(async () => provider.asked.length > before, 'an attempt after the deadline');
  expect(provider.effects.filter((path) => path.endsWith('/void'))).toEqual([]);
  provider.fate = () => 201;
  await order(body.id, 'confirmed');
  const { payment } = (await shop.get<{ payment: Payment }>(`/orders/${body.id}/summary`)).body;
  expect(payment.status).toBe('captured');
  await scene.endsWell(kerf);
});

it('charges each order once, however often the payments process is killed', async () => {
  await begin({ MODULE_PAYMENTS: 'http' });
  const orders = wishes(40);
  const onAnswer = (count: number) => void (count % 12 === 0 && killModule(kerf, 'payments'));
  const orderAnswers = await rush(shop, orders, { onAnswer, patient: true });
  await scene.endsWell(kerf, orderAnswers);
  const captured = provider.effects.filter((path) => path.endsWith('/capture'));
  expect(captured).toHaveLength([...orderAnswers.values()].filter(({ status }) => status === 201).length);
});

async function begin(env: Record<string, string> = {}): Promise<void> {
  scene = new Scene({ PAYMENTS_PROVIDER_URL: await provider.open(), ...env });
  kerf = await scene.start();
  shop = await new Shop(kerf.url).join();
}

function order(id: string, wanted: Order['status']): Promise<Order> {
  return eventually(async () => {
    const { body } = await shop.get<Order>(`/orders/${id}`);
    return body.status === wanted && body;
  }, `the order to be ${wanted}`);
}

async function left(): Promise<number> {
  return (await shop.get<{ available: number }>('/products/OIL')).body.available;
}
