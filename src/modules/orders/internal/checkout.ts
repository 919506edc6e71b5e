import { id, money } from 'kerf/contract';
import type { ModuleUnit } from 'kerf/module';
import { type Saga, step } from 'kerf/saga';
import { z } from 'zod';
import { inventory } from '../../inventory/contract.ts';
import { payments } from '../../payments/contract.ts';
import { orderLines, orders } from '../contract.ts';
import { setStatus, toEvent } from './store.ts';

const data = z.object({ orderId: id, memberId: id, lines: orderLines, amount: money, paymentToken: z.string() });
export type Checkout = z.infer<typeof data>;

const charge = ({ orderId, memberId, amount }: Checkout) => ({ orderId, memberId, amount });
const checkoutStep = step<Checkout, ModuleUnit>;

/** Reserves stock, takes payment and confirms. On failure, or at the deadline, it gives everything back and rejects. */
export const checkout = (deadlineMs: number): Saga<Checkout, ModuleUnit> => ({
  name: 'checkout',
  version: 1,
  data,
  deadlineMs,
  steps: [
    checkoutStep('reserve stock')
      .call(inventory.operations.reserve, ({ orderId, lines }) => ({ orderId, lines }))
      .compensate(inventory.operations.release, ({ orderId }) => ({ orderId })),
    checkoutStep('authorize payment')
      .call(payments.operations.authorize, (checkout) => ({ ...charge(checkout), token: checkout.paymentToken }))
      .compensate(payments.operations.void, charge),
    checkoutStep('take stock').call(inventory.operations.take, ({ orderId }) => ({ orderId })),
    checkoutStep('capture payment').call(payments.operations.capture, charge).thenNoReturn(),
    checkoutStep('confirm order').write(async (unit, { orderId }) => {
      const row = await setStatus(unit, orderId, 'confirmed');
      await unit.publish(orders.events.confirmed, toEvent(row));
    }),
  ],
  async compensated(unit, { orderId }, reason) {
    const row = await setStatus(unit, orderId, 'rejected', reason);
    await unit.publish(orders.events.rejected, { ...toEvent(row), reason });
  },
});
