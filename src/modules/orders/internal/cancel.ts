import { refusal } from '../../../shared/kernel/errors/index.ts';
import type { ModuleUnit } from '../../../shared/kernel/module/index.ts';
import { orders } from '../contract.ts';
import { cancellation } from './cancellation.ts';
import { told, toOrder } from './model.ts';
import { orderById, setStatus } from './store.ts';

/** Cancels an order in one unit of work, so that a repeated command gets the same answer. The saga refunds and returns the stock. */
export async function cancel({ id, memberId }: { id: string; memberId: string }, unit: ModuleUnit) {
  const known = await orderById(unit, id);
  if (known?.memberId !== memberId) throw refusal('not-found', 'there is no such order');
  if (known.status !== 'confirmed') throw orders.refuse('not-cancellable', `the order is ${known.status}`);
  const cancelled = await setStatus(unit, id, 'cancelled');
  const { amount, currency } = cancelled;
  await unit.publish(orders.events.cancelled, told(cancelled));
  await unit.begin(cancellation, `cancellation/${id}`, { orderId: id, memberId, amount: { amount, currency } });
  return toOrder(cancelled);
}
