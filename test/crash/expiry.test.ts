import { expect, it } from 'vitest';
import { eventually } from '../harness/kerf.ts';
import { type Order, Shop } from '../harness/shop.ts';
import { read } from './ledger.ts';
import { Scene } from './scene.ts';

it('releases reserved stock when the reservation expires, and charges nobody', async () => {
  const { scene, kerf, shop } = await begin({});
  const { body } = await shop.order('LIMITED-1', 5, { token: 'tok_slow', wait: 0 });
  await stock(shop, 0);
  await stock(shop, 5);
  const order = await rejected(shop, body.id);
  expect(order.reason).toBe('reservation-over');
  await scene.endsWell(kerf);
  expect(payments(scene)).toEqual([{ status: 'voided' }]);
});

it('releases reserved stock when the payment never completes', async () => {
  const { scene, kerf, shop } = await begin({ ORDERS_CHECKOUT_SECONDS: '2' });
  const { body } = await shop.order('LIMITED-1', 5, { token: 'tok_hang', wait: 0 });
  await stock(shop, 0);
  await stock(shop, 5);
  expect((await shop.get<Order>(`/orders/${body.id}`)).body.status).toBe('pending');
  expect((await shop.order('LIMITED-1', 5)).status).toBe(201);
  await rejected(shop, body.id);
  await stock(shop, 0);
  await scene.endsWell(kerf);
  expect(payments(scene)).toEqual([{ status: 'captured' }, { status: 'voided' }]);
});

async function begin(env: Record<string, string>) {
  const scene = new Scene({ INVENTORY_HOLD_SECONDS: '1', ...env });
  const kerf = await scene.start();
  return { scene, kerf, shop: await new Shop(kerf.url).join() };
}

async function stock(shop: Shop, left: number): Promise<void> {
  const available = async () => (await shop.get<{ available: number }>('/products/LIMITED-1')).body.available;
  await eventually(async () => (await available()) === left, `a stock of ${left}`);
}

function rejected(shop: Shop, id: string): Promise<Order> {
  return eventually(async () => {
    const { body } = await shop.get<Order>(`/orders/${id}`);
    return body.status === 'rejected' && body;
  }, 'the rejection');
}

function payments({ dataDir }: Scene): unknown[] {
  return read(dataDir, 'payments', 'select status from payments order by status');
}
