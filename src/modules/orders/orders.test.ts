import { newId } from 'kerf/context';
import { refusal } from 'kerf/errors';
import { testModule } from 'kerf/testing';
import { describe, expect, it } from 'vitest';
import { payments } from '../payments/contract.ts';
import orders from './module.ts';

const memberId = newId();
const price = { amount: 22_000, currency: 'KRW' };
const wish = { memberId, lines: [{ sku: 'WAX', quantity: 2 }], paymentToken: 'tok_ok', key: 'one', waitMs: 1_000 };
const wax = { sku: 'WAX', name: 'Beeswax polish', description: '', price };

type Charge = { orderId: string; amount: typeof price };
const paymentIs = (status: 'authorized' | 'captured' | 'refunded' | 'voided') => (charge: Charge) => ({
  ...{ id: charge.orderId, orderId: charge.orderId, amount: charge.amount, status },
});
const reservationIs =
  (state: 'held' | 'taken' | 'released' | 'returned') =>
  ({ orderId }: { orderId: string }) => ({ orderId, state });

const stubs = {
  catalog: { find: () => ({ products: [wax] }) },
  inventory: { reserve: reservationIs('held'), take: reservationIs('taken'), release: reservationIs('returned') },
  payments: {
    authorize: paymentIs('authorized'),
    capture: paymentIs('captured'),
    refund: paymentIs('refunded'),
    void: paymentIs('voided'),
  },
};

describe('an order', () => {
  it('is confirmed when there is stock and the payment is taken', async () => {
    const shop = await testModule(orders, { stubs });
    const order = await shop.place(wish);
    expect(order).toMatchObject({ status: 'confirmed', total: { amount: 44_000, currency: 'KRW' } });
    expect(shop.published(shop.events.confirmed)).toMatchObject([{ orderId: order.id, memberId }]);
  });

  it('is rejected, and gives its stock back, when the payment is declined', async () => {
    const released: string[] = [];
    const shop = await testModule(orders, {
      stubs: {
        ...stubs,
        inventory: {
          ...stubs.inventory,
          release({ orderId }) {
            released.push(orderId);
            return { orderId, state: 'released' };
          },
        },
        payments: {
          authorize() {
            throw payments.refuse('payment-declined');
          },
        },
      },
    });
    const order = await shop.place(wish);
    expect([order.status, order.reason, released]).toEqual(['rejected', 'payment-declined', [order.id]]);
  });

  it('waits while payments is away, and is confirmed when payments is back', async () => {
    let away = true;
    const authorize = (charge: Charge) => {
      if (away) throw refusal('unavailable');
      return paymentIs('authorized')(charge);
    };
    const shop = await testModule(orders, { stubs: { ...stubs, payments: { ...stubs.payments, authorize } } });
    const { id, status } = await shop.place({ ...wish, waitMs: 0 });
    await shop.advance(5_000);
    expect([status, (await shop.get({ id, memberId })).status]).toEqual(['pending', 'pending']);
    away = false;
    await shop.advance(5_000);
    expect(await shop.get({ id, memberId })).toMatchObject({ status: 'confirmed' });
  });

  it('is the same order under the same key, and no other', async () => {
    const shop = await testModule(orders, { stubs });
    const order = await shop.place(wish);
    expect(await shop.place(wish)).toEqual(order);
    const other = { ...wish, lines: [{ sku: 'WAX', quantity: 3 }] };
    await expect(shop.place(other)).rejects.toMatchObject({ code: 'idempotency-key-reused' });
    expect(shop.published(shop.events.placed)).toHaveLength(1);
  });

  it('is cancelled once it is confirmed, by its own member only', async () => {
    const shop = await testModule(orders, { stubs });
    const { id } = await shop.place(wish);
    await expect(shop.cancel({ id, memberId: newId() })).rejects.toMatchObject({ code: 'not-found' });
    expect(await shop.cancel({ id, memberId })).toMatchObject({ status: 'cancelled' });
    await expect(shop.cancel({ id, memberId })).rejects.toMatchObject({ code: 'not-cancellable' });
    await shop.idle();
    expect(shop.published(shop.events.cancelled)).toMatchObject([{ orderId: id }]);
  });
});
