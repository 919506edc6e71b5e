import { expect, it } from 'vitest';
import { eventually } from '../../harness/kerf.ts';
import type { Payment, Shop, Summary } from '../../harness/shop.ts';
import type { System } from './system.ts';

/** Resolves with the complete summary: every part has answered, and the effects of the order's events have arrived. */
function summaryOf(shop: Shop, id: string): Promise<Summary> {
  return eventually(async () => {
    const { body } = await shop.get<Summary>(`/orders/${id}/summary`);
    const sent = body.messages?.every(({ status }) => status === 'sent');
    return body.missing.length === 0 && sent && body.messages!.length > 0 && body.recommendations!.length > 0 && body;
  }, `the summary of order ${id}`);
}

export function summaryCases(system: System): void {
  it('shows an order with its payment, messages and recommendations', async () => {
    const member = await system.shop.join();
    const lines = ['CHISEL-06', 'CHISEL-12'].map((sku) => ({ sku, quantity: 1 }));
    await member.checkOut([...lines, { sku: 'CHISEL-25', quantity: 1 }]);
    const { body: order } = await member.checkOut(lines);
    const summary = await summaryOf(member, order.id);
    expect(summary).toEqual({
      order,
      payment: { id: expect.any(String), orderId: order.id, amount: order.total, status: 'captured' },
      messages: [expect.objectContaining({ channel: 'mail', subject: expect.stringContaining(order.id) })],
      recommendations: expect.arrayContaining([{ sku: 'CHISEL-25', score: expect.any(Number) }]),
      missing: [],
    });
    expect(summary.recommendations!.map(({ sku }) => sku)).not.toContain('CHISEL-06');
  });

  it('shows a payment only to the member who made it', async () => {
    const [mine, other] = [await system.shop.join(), system.ada];
    const { body: order } = await mine.checkOut([
      { sku: 'CHISEL-06', quantity: 1 },
      { sku: 'CHISEL-12', quantity: 1 },
      { sku: 'CHISEL-25', quantity: 1 },
    ]);
    const { payment } = await eventually(async () => {
      const { body } = await mine.get<Summary>(`/orders/${order.id}/summary`);
      return body.payment !== null && body;
    }, 'the payment');
    expect(await mine.get<Payment>(`/payments/${payment!.id}`)).toMatchObject({ status: 200, body: payment! });
    expect(await other.get(`/payments/${payment!.id}`)).toMatchObject({ status: 404, body: { code: 'not-found' } });
  });
}
