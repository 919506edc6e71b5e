import { inSteps } from 'kerf/module';
import { payments } from '../contract.ts';
import type { PaymentProvider } from './provider/provider.ts';
import { type PaymentStatus, paymentOf, setStatus, toPayment } from './store.ts';

/** Moves a payment from one state to the next: first at the provider, then here. A repeated command finds the next state. */
function settle(
  operation: 'capture' | 'refund',
  from: PaymentStatus,
  to: 'captured' | 'refunded',
  provider: PaymentProvider,
) {
  return inSteps(payments.operations[operation], async ({ orderId }, { work, answer, read }) => {
    const row = await paymentOf(read, orderId);
    if (row?.status === to) return toPayment(row);
    if (row?.status !== from) throw payments.refuse('payment-over');
    await provider[operation](row.id);
    return work(async (unit) => {
      const current = (await paymentOf(unit, orderId))!;
      if (current.status !== from) return toPayment(current);
      const { id, memberId, amount, currency } = current;
      await unit.publish(payments.events[to], { paymentId: id, orderId, memberId, amount: { amount, currency } });
      return answer(unit, toPayment(await setStatus(unit, current, to)));
    });
  });
}

export const capture = (provider: PaymentProvider) => settle('capture', 'authorized', 'captured', provider);
export const refund = (provider: PaymentProvider) => settle('refund', 'captured', 'refunded', provider);
