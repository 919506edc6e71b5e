import { inSteps } from 'kerf/module';
import { payments } from '../contract.ts';
import type { PaymentProvider } from './provider/provider.ts';
import { addPayment, paymentOf, setStatus, toPayment } from './store.ts';

/** Records the payment before it calls the provider, so that a void that overtakes the answer finds the payment. */
export function authorize(provider: PaymentProvider) {
  return inSteps(payments.operations.authorize, async ({ token, ...charge }, { work, answer, read, signal }) => {
    const begun = await work(
      async (unit) => (await paymentOf(unit, charge.orderId)) ?? addPayment(unit, charge, 'authorizing'),
    );
    if (begun.status === 'authorized' || begun.status === 'captured') return toPayment(begun);
    if (begun.status === 'declined') throw payments.refuse('payment-declined');
    if (begun.status !== 'authorizing') throw payments.refuse('payment-over');

    const asking = provider.authorize({ id: begun.id, ...charge.amount, token }, signal);
    const outcome = await asking.catch(async (error: unknown) => {
      // The lost answer may have been yes. If a void overtook it, send the void again.
      if ((await paymentOf(read, charge.orderId))?.status === 'voided') await provider.void(begun.id);
      throw error;
    });
    const now = await work(async (unit) => {
      const current = (await paymentOf(unit, charge.orderId))!;
      if (current.status !== 'authorizing') return current;
      const decided = await setStatus(unit, current, outcome);
      if (decided.status === 'authorized') await answer(unit, toPayment(decided));
      return decided;
    });
    if (now.status === 'declined') throw payments.refuse('payment-declined');
    if (now.status === 'voided') {
      await provider.void(now.id);
      throw payments.refuse('payment-over');
    }
    return toPayment(now);
  });
}

/** Records the void first, then calls the provider. A repeated command calls the provider again. */
export function voidPayment(provider: PaymentProvider) {
  return inSteps(payments.operations.void, async (charge, { work }) => {
    const row = await work(async (unit) => {
      const known = await paymentOf(unit, charge.orderId);
      if (!known) return addPayment(unit, charge, 'voided');
      if (known.status === 'captured' || known.status === 'refunded') throw payments.refuse('payment-over');
      return known.status === 'declined' ? known : setStatus(unit, known, 'voided');
    });
    if (row.status === 'voided') await provider.void(row.id);
    return toPayment(row);
  });
}
