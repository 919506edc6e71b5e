import { expect, it } from 'vitest';
import type { Product, Summary } from '../../harness/shop.ts';
import type { System } from './system.ts';

export function cancelCases(system: System): void {
  // Beside concurrent tests, only the `expect` of the test itself knows which test polls.
  it('releases the stock and refunds the payment', async ({ expect }) => {
    const sku = 'PLANE-SMOOTH';
    const available = async () => (await system.shop.get<Product>(`/products/${sku}`)).body.available;
    const payment = async (id: string) => (await system.ada.get<Summary>(`/orders/${id}/summary`)).body.payment?.status;
    const before = await available();
    const { body: order } = await system.ada.order(sku, 3);
    expect(await available()).toBe(before! - 3);
    await expect.poll(() => payment(order.id)).toBe('captured');

    const cancelled = await system.ada.post(`/orders/${order.id}/cancel`);
    expect(cancelled).toMatchObject({ status: 200, body: { id: order.id, status: 'cancelled' } });
    await expect.poll(available).toBe(before);
    await expect.poll(() => payment(order.id)).toBe('refunded');

    const again = await system.ada.post(`/orders/${order.id}/cancel`);
    expect(again).toMatchObject({ status: 409, body: { code: 'not-cancellable' } });
    expect(await available()).toBe(before);
  });

  it('cancels once for two concurrent requests', async () => {
    const { body: order } = await system.ada.order('WAX');
    const answers = await Promise.all([1, 2].map(() => system.ada.post(`/orders/${order.id}/cancel`)));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409]);
  });

  it('refuses to cancel an order that is not confirmed', async () => {
    const rejected = await system.ada.order('WAX', 1, { token: 'tok_declined' });
    const answer = await system.ada.post(`/orders/${rejected.body.orderId}/cancel`);
    expect(answer).toMatchObject({ status: 409, body: { code: 'not-cancellable' } });
  });

  it("refuses to cancel another member's order", async () => {
    const { body: order } = await system.ada.order('WAX');
    const other = await system.shop.join();
    const answer = await other.post(`/orders/${order.id}/cancel`);
    expect(answer).toMatchObject({ status: 404, body: { code: 'not-found' } });
    expect((await system.ada.get(`/orders/${order.id}`)).body.status).toBe('confirmed');
  });
}
