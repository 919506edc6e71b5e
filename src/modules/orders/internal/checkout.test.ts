import { newId } from 'kerf/context';
import type { ModuleUnit } from 'kerf/module';
import { type Ended, given, type ReplyStep, type Script } from 'kerf/testing';
import { describe, expect, it } from 'vitest';
import { inventory } from '../../inventory/contract.ts';
import { payments } from '../../payments/contract.ts';
import { orders } from '../contract.ts';
import { type Checkout, checkout } from './checkout.ts';
import { addOrder, migrations, type OrderRow, orderById } from './store.ts';

const { reserve, release, take } = inventory.operations;
const { authorize, capture, void: giveBack } = payments.operations;

const [orderId, memberId] = [newId(), newId()];
const amount = { amount: 30_000, currency: 'KRW' };
const lines = [{ sku: 'WAX', quantity: 2 }];
const data: Checkout = { orderId, memberId, lines, amount, paymentToken: 'tok_ok' };
const row: OrderRow = {
  ...{ id: orderId, memberId, status: 'pending', reason: null, ...amount, key: 'k', fingerprint: 'f' },
  ...{ lines: [{ sku: 'WAX', quantity: 2, price: { amount: 15_000, currency: 'KRW' } }] },
  createdAt: '2026-01-01T00:00:00.000Z',
};
const placed = { migrations, before: (unit: ModuleUnit) => addOrder(unit, row) };

const reservation = (state: 'held' | 'taken' | 'released') => ({ orderId, state });
const payment = (status: 'authorized' | 'captured' | 'voided') => ({ id: orderId, orderId, amount, status });

const placedOrder = () => given(checkout(30_000), data, placed);
const reserved = () => placedOrder().expects(reserve).replies(reservation('held'));
const authorized = () => reserved().expects(authorize).replies(payment('authorized'));
const taken = () => authorized().expects(take).replies(reservation('taken'));

const statusOf = async ({ read }: Ended) => {
  const order = await read((reader) => orderById(reader, orderId));
  return order?.reason ? `${order.status}: ${order.reason}` : order?.status;
};

describe('a checkout', () => {
  it('takes stock, takes payment and confirms', async () => {
    const ended = await placedOrder()
      .expects(reserve, { orderId, lines })
      .replies(reservation('held'))
      .expects(authorize, { orderId, memberId, amount, token: 'tok_ok' })
      .replies(payment('authorized'))
      .expects(take, { orderId })
      .replies(reservation('taken'))
      .expects(capture, { orderId, memberId, amount })
      .replies(payment('captured'))
      .ends('done');
    expect(await statusOf(ended)).toBe('confirmed');
    expect(ended.published(orders.events.confirmed)).toEqual([{ orderId, memberId, lines, total: amount }]);
  });

  it('gives the stock back and rejects when the payment is declined', async () => {
    const ended = await reserved()
      .expects(authorize)
      .refuses(payments.refuse('payment-declined'))
      .expects(release, { orderId })
      .replies(reservation('released'))
      .ends('compensated');
    expect(await statusOf(ended)).toBe('rejected: payment-declined');
    expect(ended.published(orders.events.rejected)).toMatchObject([{ orderId, reason: 'payment-declined' }]);
    expect(ended.published(orders.events.confirmed)).toEqual([]);
  });

  it('asks nobody further when there is not enough in stock', async () => {
    const ended = await placedOrder()
      .expects(reserve)
      .refuses(inventory.refuse('out-of-stock', undefined, { sku: 'WAX' }))
      .ends('compensated');
    expect(await statusOf(ended)).toBe('rejected: out-of-stock');
  });

  it('gives both back when the stock is gone before it is taken', async () => {
    const ended = await authorized()
      .expects(take)
      .refuses(inventory.refuse('reservation-over'))
      .expects(giveBack, { orderId, memberId, amount })
      .replies(payment('voided'))
      .expects(release)
      .replies(reservation('released'))
      .ends('compensated');
    expect(await statusOf(ended)).toBe('rejected: reservation-over');
  });

  it('asks again, with the same key, when the answer about the payment is lost', async () => {
    const ended = await reserved()
      .expects(authorize)
      .timesOut()
      .after(5_000)
      .replies(payment('authorized'))
      .expects(take)
      .replies(reservation('taken'))
      .expects(capture)
      .replies(payment('captured'))
      .ends('done');
    expect(await statusOf(ended)).toBe('confirmed');
  });

  it('gives back also the payment that it never heard of, when it is too late', async () => {
    const ended = await reserved()
      .expects(authorize)
      .timesOut()
      .after(30_000)
      .expects(giveBack)
      .fails(3)
      .replies(payment('voided'))
      .expects(release)
      .replies(reservation('released'))
      .ends('compensated');
    expect(await statusOf(ended)).toBe('rejected: timeout');
  });

  it('goes on until the payment is captured, however late, once that was tried', async () => {
    const ended = await taken()
      .expects(capture)
      .timesOut()
      .after(60_000)
      .fails(5)
      .replies(payment('captured'))
      .ends('done');
    expect(await statusOf(ended)).toBe('confirmed');
  });

  const way = [
    [reserve, reservation('held')],
    [authorize, payment('authorized')],
    [take, reservation('taken')],
    [capture, payment('captured')],
  ] as const;

  it.each(way)('ends as if nothing had been when its process dies in $name', async (dyingIn) => {
    let story: Script = placedOrder();
    for (const [operation, output] of way) {
      const call: ReplyStep<typeof operation> = story.expects(operation);
      story = (operation === dyingIn ? call.crashes() : call).replies(output);
    }
    const ended = await story.ends('done');
    expect(await statusOf(ended)).toBe('confirmed');
    expect(ended.published(orders.events.confirmed)).toHaveLength(1);
  });

  it('gives everything back once when its process dies at every step of the way back', async () => {
    const ended = await authorized()
      .expects(take)
      .refuses(inventory.refuse('reservation-over'))
      .expects(giveBack)
      .crashes()
      .replies(payment('voided'))
      .expects(release)
      .crashes()
      .replies(reservation('released'))
      .ends('compensated');
    expect(await statusOf(ended)).toBe('rejected: reservation-over');
    expect(ended.published(orders.events.rejected)).toHaveLength(1);
  });

  it('takes a payment back that is refused only after its process died asking', async () => {
    await reserved()
      .expects(authorize)
      .crashes()
      .refuses(payments.refuse('payment-over'))
      .expects(giveBack)
      .replies(payment('voided'))
      .expects(release)
      .replies(reservation('released'))
      .ends('compensated');
  });
});
