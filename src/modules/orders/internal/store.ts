import { and, desc, eq, lt, sql } from 'drizzle-orm';
import { insertInto, prepared, type Reader, rowsBy, type Unit } from '../../../shared/kernel/database/index.ts';
import { type OrderRow, type OrderStatus, type ShownOrder, tables } from './tables.ts';

const { placeholder } = sql;

const byId = rowsBy((reader) => tables(reader).orders, 'id');

/** Inserts a new order. */
export const addOrder = insertInto((reader) => tables(reader).orders);

const byKey = prepared((reader) => {
  const { orders } = tables(reader);
  const mine = and(eq(orders.memberId, placeholder('memberId')), eq(orders.key, placeholder('key')));
  return reader.db.select().from(orders).where(mine).prepare();
});

const updateStatus = prepared((unit) => {
  const { orders } = tables(unit);
  return unit.db
    .update(orders)
    .set({ status: sql`${placeholder('status')}`, reason: sql`${placeholder('reason')}` })
    .where(eq(orders.id, placeholder('id')))
    .prepare();
});

export async function orderById(reader: Reader, id: string): Promise<OrderRow | undefined> {
  return (await byId(reader, id))[0];
}

export async function orderByKey(reader: Reader, memberId: string, key: string): Promise<OrderRow | undefined> {
  return (await byKey(reader).execute({ memberId, key }))[0];
}

export async function setStatus(
  unit: Unit,
  id: string,
  status: OrderStatus,
  reason: string | null = null,
): Promise<OrderRow> {
  await updateStatus(unit).execute({ id, status, reason });
  return (await orderById(unit, id))!;
}

/** Sorts after every id. */
const beyond = '~';

const ofMember = prepared((reader) => {
  const { orders } = tables(reader);
  const { id, memberId, status, reason, lines, amount, currency, createdAt } = orders;
  return reader.db
    .select({ id, status, reason, lines, amount, currency, createdAt })
    .from(orders)
    .where(and(eq(memberId, placeholder('memberId')), lt(id, placeholder('before'))))
    .orderBy(desc(id))
    .limit(placeholder('limit'))
    .prepare();
});

/** Returns a member's orders, newest first. */
export async function ordersOf(
  reader: Reader,
  memberId: string,
  limit: number,
  before: string = beyond,
): Promise<ShownOrder[]> {
  return ofMember(reader).execute({ memberId, limit, before });
}
