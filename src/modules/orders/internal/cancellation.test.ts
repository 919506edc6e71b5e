import { newId } from 'kerf/context';
import { given } from 'kerf/testing';
import { expect, it } from 'vitest';
import { inventory } from '../../inventory/contract.ts';
import { payments } from '../../payments/contract.ts';
import { cancellation } from './cancellation.ts';

const { refund } = payments.operations;
const { release } = inventory.operations;

const [orderId, memberId] = [newId(), newId()];
const amount = { amount: 30_000, currency: 'KRW' };
const data = { orderId, memberId, amount };
const refunded = { id: orderId, orderId, amount, status: 'refunded' } as const;
const returned = { orderId, state: 'returned' } as const;

it('refunds the payment, then returns the stock', async () => {
  await given(cancellation, data)
    .expects(refund, data)
    .replies(refunded)
    .expects(release, { orderId })
    .replies(returned)
    .ends('done');
});

it('goes on until both have answered, however long that takes', async () => {
  await given(cancellation, data)
    .expects(refund)
    .timesOut()
    .after(60_000)
    .fails(10)
    .replies(refunded)
    .expects(release)
    .fails(10)
    .after(60 * 60_000)
    .replies(returned)
    .ends('done');
});

it('goes on in another process when its own dies', async () => {
  await given(cancellation, data)
    .expects(refund)
    .crashes()
    .replies(refunded)
    .expects(release)
    .crashes()
    .replies(returned)
    .ends('done');
});

it('waits for a person when a refund that was decided is refused', async () => {
  const { history } = await given(cancellation, data)
    .expects(refund)
    .refuses(payments.refuse('payment-over'))
    .ends('stuck');
  expect(history).toEqual(['refund payment stuck']);
});
