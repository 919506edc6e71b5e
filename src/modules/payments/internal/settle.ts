import { instant } from 'kerf/context';
import { inSteps, type Steps } from 'kerf/module';
import { payments } from '../contract.ts';
import type { PaymentProvider } from './provider/provider.ts';
import { paymentOf, setStatus, toPayment } from './store.ts';

type Settled = 'captured' | 'refunded';

/** Moves a payment from one state to the next: first at the provider, then here. A repeated command finds the next state. */
async function settle(
  orderId: string,
  from: 'authorized' | 'captured',
  to: Settled,
  atProvider: (id: string) => Promise<void>,
  { work, answer, read, clock }: Steps,
) {
  const row = await paymentOf(read, orderId);
  if (row?.status === to) return toPayment(row);
  if (row?.status !== from) throw payments.refuse('payment-over');
  await atProvider(row.id);
  return work(async (unit) => {
    const current = (await paymentOf(unit, orderId))!;
    if (current.status !== from) return toPayment(current);
    const { id, memberId, amount, currency } = current;
    await unit.publish(payments.events[to], { paymentId: id, orderId, memberId, amount: { amount, currency } });
    const settled = toPayment(await setStatus(unit, current, to, instant(clock)));
    await answer(unit, settled);
    return settled;
  });
}

export function capture(provider: PaymentProvider) {
  return inSteps(payments.operations.capture, ({ orderId }, steps) =>
    settle(orderId, 'authorized', 'captured', provider.capture, steps),
  );
}

export function refund(provider: PaymentProvider) {
  return inSteps(payments.operations.refund, ({ orderId }, steps) =>
    settle(orderId, 'captured', 'refunded', provider.refund, steps),
  );
}
