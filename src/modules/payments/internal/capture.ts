import { type Clock, instant } from '../../../shared/kernel/context/index.ts';
import { inSteps } from '../../../shared/kernel/module/index.ts';
import { payments } from '../contract.ts';
import type { PaymentProvider } from './provider/provider.ts';
import { type Charge, paymentOf, setStatus, toPayment } from './store.ts';

export function capture(provider: PaymentProvider, clock: Clock) {
  return inSteps(async ({ orderId }: Charge, { work, answer, read }) => {
    const row = await paymentOf(read, orderId);
    if (row?.status === 'captured') return toPayment(row);
    if (row?.status !== 'authorized') throw payments.refuse('payment-over');
    await provider.capture(row.id);
    return work(async (unit) => {
      const current = (await paymentOf(unit, orderId))!;
      if (current.status !== 'authorized') return toPayment(current);
      const { id, memberId, amount, currency } = current;
      await unit.publish(payments.events.captured, { paymentId: id, orderId, memberId, amount: { amount, currency } });
      const captured = toPayment(await setStatus(unit, current, 'captured', instant(clock)));
      await answer(unit, captured);
      return captured;
    });
  });
}
