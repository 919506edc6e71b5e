import { type Clock, instant } from '../../../shared/kernel/context/index.ts';
import { inSteps } from '../../../shared/kernel/module/index.ts';
import { payments } from '../contract.ts';
import type { PaymentProvider } from './provider/provider.ts';
import { type Charge, paymentOf, setStatus, toPayment } from './store.ts';

export function refund(provider: PaymentProvider, clock: Clock) {
  return inSteps(async ({ orderId }: Charge, { work, answer, read }) => {
    const row = await paymentOf(read, orderId);
    if (row?.status === 'refunded') return toPayment(row);
    if (row?.status !== 'captured') throw payments.refuse('payment-over');
    await provider.refund(row.id);
    return work(async (unit) => {
      const current = (await paymentOf(unit, orderId))!;
      if (current.status !== 'captured') return toPayment(current);
      const { id, memberId, amount, currency } = current;
      await unit.publish(payments.events.refunded, { paymentId: id, orderId, memberId, amount: { amount, currency } });
      const refunded = toPayment(await setStatus(unit, current, 'refunded', instant(clock)));
      await answer(unit, refunded);
      return refunded;
    });
  });
}
