import { handle, type ModuleUnit } from 'kerf/module';
import { type Saga, step } from 'kerf/saga';
import type { z } from 'zod';
import { inventory } from '../../inventory/contract.ts';
import { payments } from '../../payments/contract.ts';
import { orders } from '../contract.ts';
import { orderOf, setStatus, toEvent, toOrder } from './store.ts';

const data = payments.operations.refund.input;
type Cancellation = z.output<typeof data>;

/** Refunds a cancelled order and returns its stock. The decision is final: the saga only goes forward, until it is done. */
export const cancellation: Saga<Cancellation, ModuleUnit> = {
  name: 'cancellation',
  version: 1,
  data,
  steps: [
    step<Cancellation>('refund payment').call(payments.operations.refund, (cancelled) => cancelled),
    step<Cancellation>('return stock').call(inventory.operations.release, ({ orderId }) => ({ orderId })),
  ],
};

/** Cancels an order in one unit of work, so that a repeated command gets the same answer. The saga refunds and returns the stock. */
export const cancel = handle(orders.operations.cancel, async ({ id, memberId }, unit) => {
  const { status } = await orderOf(unit, { id, memberId });
  if (status !== 'confirmed') throw orders.refuse('not-cancellable', `the order is ${status}`);
  const cancelled = await setStatus(unit, id, 'cancelled');
  const event = toEvent(cancelled);
  await unit.publish(orders.events.cancelled, event);
  await unit.begin(cancellation, `cancellation/${id}`, { orderId: id, memberId, amount: event.total });
  return toOrder(cancelled);
});
