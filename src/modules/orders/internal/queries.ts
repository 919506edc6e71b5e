import { Cursors } from '../../../shared/kernel/contract/index.ts';
import type { Reader } from '../../../shared/kernel/database/index.ts';
import { refusal } from '../../../shared/kernel/errors/index.ts';
import { toOrder } from './model.ts';
import { orderById, ordersOf } from './store.ts';

export async function get({ id, memberId }: { id: string; memberId: string }, reader: Reader) {
  const row = await orderById(reader, id);
  if (row?.memberId !== memberId) throw refusal('not-found', 'there is no such order');
  return toOrder(row);
}

const cursors = new Cursors('orders.list');

export async function list(
  { memberId, limit, cursor }: { memberId: string; limit: number; cursor?: string },
  reader: Reader,
) {
  const rows = await ordersOf(reader, memberId, limit + 1, cursors.keyOf(cursor));
  return cursors.page(rows, limit, ({ id }) => id, toOrder);
}
