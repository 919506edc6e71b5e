import { type Clock, instant } from '../../../shared/kernel/context/index.ts';
import { inSteps } from '../../../shared/kernel/module/index.ts';
import { payments } from '../contract.ts';
import type { PaymentProvider } from './provider/provider.ts';
import { addPayment, type Charge, paymentOf, setStatus, toPayment } from './store.ts';

/** Records the void first, then calls the provider. A repeated command calls the provider again. */
export function voidPayment(provider: PaymentProvider, clock: Clock) {
  return inSteps(async (charge: Charge, { work }) => {
    const row = await work(async (unit) => {
      const known = await paymentOf(unit, charge.orderId);
      if (!known) return addPayment(unit, charge, 'voided', instant(clock));
      if (known.status === 'captured' || known.status === 'refunded') throw payments.refuse('payment-over');
      return known.status === 'declined' ? known : setStatus(unit, known, 'voided', instant(clock));
    });
    if (row.status === 'voided') await provider.void(row.id);
    return toPayment(row);
  });
}
