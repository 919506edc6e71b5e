import { instant, newId } from 'kerf/context';
import type { Client } from 'kerf/contract';
import { isUniqueConflict } from 'kerf/database';
import { inSteps, type ModuleUnit, type Steps } from 'kerf/module';
import type { Saga } from 'kerf/saga';
import type { catalog } from '../../catalog/contract.ts';
import { type Order, orders } from '../contract.ts';
import type { Checkout } from './checkout.ts';
import { fingerprintOf, mergeLines, priceLines } from './model.ts';
import { addOrder, type OrderRow, orderById, orderByKey, toEvent, toOrder } from './store.ts';

/** Records the order and starts its checkout in one unit of work. Then waits at most `waitMs` for the outcome. */
export function place(products: Client<typeof catalog>, checkout: Saga<Checkout, ModuleUnit>) {
  return inSteps(orders.operations.place, async (wish, steps) => {
    const { memberId, key, paymentToken } = wish;
    const wanted = mergeLines(wish.lines);
    const fingerprint = fingerprintOf(wanted, paymentToken);
    const earlier = await orderByKey(steps.read, memberId, key);
    if (earlier) return outcome(repeated(earlier, fingerprint), wish.waitMs, steps);

    const { products: found } = await products.find({ skus: wanted.map(({ sku }) => sku) });
    const { lines, total } = priceLines(wanted, found);
    const row: OrderRow = {
      ...{ id: newId(), memberId, status: 'pending', reason: null, lines, ...total },
      ...{ key, fingerprint, createdAt: instant(steps.clock) },
    };
    const placing = steps.work(async (unit) => {
      await addOrder(unit, row);
      await unit.publish(orders.events.placed, toEvent(row));
      const { total: amount, ...ordered } = toEvent(row);
      await unit.begin(checkout, sagaId(row.id), { ...ordered, amount, paymentToken });
      return row;
    });
    const placed = await placing.catch(async (error: unknown) => {
      const raced = isUniqueConflict(error) && (await steps.work((unit) => orderByKey(unit, memberId, key)));
      if (!raced) throw error;
      return repeated(raced, fingerprint);
    });
    return outcome(placed, wish.waitMs, steps);
  });
}

function repeated(row: OrderRow, fingerprint: string): OrderRow {
  if (row.fingerprint !== fingerprint) throw orders.refuse('idempotency-key-reused');
  return row;
}

async function outcome(row: OrderRow, waitMs: number, { read, settled }: Steps): Promise<Order> {
  if (row.status !== 'pending') return toOrder(row);
  await settled(sagaId(row.id), waitMs);
  return toOrder((await orderById(read, row.id)) ?? row);
}

function sagaId(orderId: string): string {
  return `checkout/${orderId}`;
}
