import { refusal } from '../../../shared/errors/index.ts';
import { inSteps } from '../../../shared/module/index.ts';
import { orders } from '../contract.ts';
import { cancellation } from './cancellation.ts';
import { told, toOrder } from './model.ts';
import { orderById, setStatus } from './store.ts';

const waitMs = 5_000;

/** Decided in one unit; refund and stock follow by the saga, and are waited for as a courtesy. */
export const cancel = inSteps(async ({ id, memberId }: { id: string; memberId: string }, { work, settled }) => {
  const sagaId = `cancellation/${id}`;
  const row = await work(async (unit) => {
    const known = await orderById(unit, id);
    if (known?.memberId !== memberId) throw refusal('not-found', 'there is no such order');
    if (known.status !== 'confirmed') throw orders.refuse('not-cancellable', `the order is ${known.status}`);
    const cancelled = await setStatus(unit, id, 'cancelled');
    const { amount, currency } = cancelled;
    await unit.publish(orders.events.cancelled, told(cancelled));
    await unit.begin(cancellation, sagaId, { orderId: id, memberId, amount: { amount, currency } });
    return cancelled;
  });
  await settled(sagaId, waitMs);
  return toOrder(row);
});
