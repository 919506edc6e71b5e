import { randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import { eventually } from '../../harness/kerf.ts';
import type { Order, Page, Product, Shop } from '../../harness/shop.ts';
import type { System } from './system.ts';

/** Reads the order until it is decided. */
function decided(shop: Shop, id: string): Promise<Order> {
  return eventually(async () => {
    const { body } = await shop.get<Order>(`/orders/${id}`);
    return body.status !== 'pending' && body;
  }, `the decision about order ${id}`);
}

export function checkoutCases(system: System): void {
  outcomes(system);
  repeats(system);
  waits(system);
}

function outcomes(system: System): void {
  it('confirms an order and reduces the stock', async () => {
    const before = await system.shop.get<Product>('/products/WORKBENCH');
    const { status, headers, body } = await system.ada.checkOut([
      { sku: 'WORKBENCH', quantity: 2 },
      { sku: 'WORKBENCH', quantity: 1 },
    ]);
    expect(status).toBe(201);
    expect(headers.get('location')).toBe(`/orders/${body.id}`);
    expect(body).toEqual({
      id: expect.any(String),
      status: 'confirmed',
      lines: [{ sku: 'WORKBENCH', quantity: 3, price: { amount: 890_000, currency: 'KRW' } }],
      total: { amount: 2_670_000, currency: 'KRW' },
      createdAt: expect.stringMatching(/Z$/),
    });
    expect((await system.ada.get(`/orders/${body.id}`)).body).toEqual(body);
    const after = await system.shop.get<Product>('/products/WORKBENCH');
    expect(after.body.available).toBe(before.body.available! - 3);
  });

  it('rejects an order with a declined payment and releases the stock', async () => {
    const before = await system.shop.get<Product>('/products/SAW-BOW');
    const { status, body } = await system.ada.order('SAW-BOW', 4, { token: 'tok_declined' });
    expect(status).toBe(402);
    expect(body).toMatchObject({ code: 'payment-declined', status: 402, orderId: expect.any(String) });
    const order = await system.ada.get<Order>(`/orders/${body.orderId}`);
    expect(order.body).toMatchObject({ status: 'rejected', reason: 'payment-declined' });
    expect((await system.shop.get<Product>('/products/SAW-BOW')).body.available).toBe(before.body.available);
  });

  it('rejects the whole order when one line exceeds the stock', async () => {
    const before = await system.shop.get<Product>('/products/SAW-COPING');
    const { status, body } = await system.ada.checkOut([
      { sku: 'SAW-COPING', quantity: 1 },
      { sku: 'LIMITED-1', quantity: 6 },
    ]);
    expect(status).toBe(409);
    expect(body).toMatchObject({ code: 'out-of-stock', status: 409, orderId: expect.any(String) });
    const order = await system.ada.get<Order>(`/orders/${body.orderId}`);
    expect(order.body).toMatchObject({ status: 'rejected', reason: 'out-of-stock' });
    expect((await system.shop.get<Product>('/products/SAW-COPING')).body.available).toBe(before.body.available);
  });

  it('refuses an order of an unknown product', async () => {
    expect(await system.ada.order('NO-SUCH')).toMatchObject({ status: 422, body: { code: 'invalid-input' } });
  });

  it("lists only the member's own orders, newest first", async () => {
    const [mine, other] = await Promise.all([system.shop.join(), system.shop.join()]);
    const ids: string[] = [];
    for (let count = 0; count < 3; count++) ids.unshift((await mine.order('OIL')).body.id);
    const first = await mine.get<Page<Order>>('/orders?limit=2');
    const rest = await mine.get<Page<Order>>(`/orders?limit=2&cursor=${first.body.next}`);
    expect([...first.body.items, ...rest.body.items].map(({ id }) => id)).toEqual(ids);
    expect(rest.body.next).toBeNull();
    expect((await other.get<Page<Order>>('/orders')).body).toEqual({ items: [], next: null });
    for (const path of [`/orders/${ids[0]}`, `/orders/${ids[0]}/summary`]) {
      expect(await other.get(path)).toMatchObject({ status: 404, body: { code: 'not-found' } });
    }
  });
}

function repeats(system: System): void {
  it('places one order for repeated requests with the same key and body', async () => {
    const member = await system.shop.join();
    const key = randomUUID();
    const together = await Promise.all([1, 2, 3].map(() => member.order('GLUE', 2, { key })));
    const later = await member.order('GLUE', 2, { key });
    expect([...together, later].map(({ status }) => status)).toEqual([201, 201, 201, 201]);
    expect(new Set([...together, later].map(({ body }) => body.id)).size).toBe(1);
    expect((await member.get<Page<Order>>('/orders')).body.items).toHaveLength(1);

    const reused = await member.order('GLUE', 3, { key });
    expect(reused).toMatchObject({ status: 422, body: { code: 'idempotency-key-reused' } });
    expect((await system.ada.order('GLUE', 1, { key })).body.id).not.toBe(later.body.id);
  });

  it('repeats a rejection for the same key', async () => {
    const key = randomUUID();
    const options = { key, token: 'tok_declined' };
    const [first, second] = [await system.ada.order('GLUE', 1, options), await system.ada.order('GLUE', 1, options)];
    expect(second).toMatchObject({ status: 402, body: { orderId: first.body.orderId } });
  });
}

function waits(system: System): void {
  it('answers immediately when the request asks not to wait', async () => {
    const { status, headers, body } = await system.ada.order('MALLET', 1, { wait: 0, token: 'tok_slow' });
    expect(status).toBe(202);
    expect(body.status).toBe('pending');
    expect(headers.get('location')).toBe(`/orders/${body.id}`);
    expect(await decided(system.ada, body.id)).toMatchObject({ id: body.id, status: 'confirmed' });
  });

  it('answers with the pending order when a slow provider exceeds the wait', async () => {
    const { status, body } = await system.ada.post<Order>('/orders', {
      lines: [{ sku: 'MALLET', quantity: 1 }],
      payment: { token: 'tok_slow' },
    });
    expect(status).toBe(202);
    expect((await decided(system.ada, body.id)).status).toBe('confirmed');
  });

  it('confirms an order after two failures of the provider', async () => {
    const { body } = await system.ada.order('MALLET', 1, { token: 'tok_flaky' });
    expect((await decided(system.ada, body.id)).status).toBe('confirmed');
  });
}
