import { and, desc, eq, lt, sql } from 'drizzle-orm';
import { prepared, type Reader, type Unit } from '../../../shared/data/index.ts';
import { type OrderRow, type OrderStatus, tables } from './tables.ts';

const { placeholder } = sql;

const byId = prepared((reader) => {
  const { orders } = tables(reader);
  return reader.db
    .select()
    .from(orders)
    .where(eq(orders.id, placeholder('id')))
    .prepare();
});

const byKey = prepared((reader) => {
  const { orders } = tables(reader);
  const mine = and(eq(orders.memberId, placeholder('memberId')), eq(orders.key, placeholder('key')));
  return reader.db.select().from(orders).where(mine).prepare();
});

const insertRow = prepared((unit) =>
  unit.db
    .insert(tables(unit).orders)
    .values({
      id: placeholder('id'),
      memberId: placeholder('memberId'),
      status: placeholder('status'),
      lines: placeholder('lines'),
      amount: placeholder('amount'),
      currency: placeholder('currency'),
      key: placeholder('key'),
      fingerprint: placeholder('fingerprint'),
      createdAt: placeholder('createdAt'),
    })
    .prepare(),
);

const updateStatus = prepared((unit) => {
  const { orders } = tables(unit);
  return unit.db
    .update(orders)
    .set({ status: sql`${placeholder('status')}`, reason: sql`${placeholder('reason')}` })
    .where(eq(orders.id, placeholder('id')))
    .prepare();
});

export async function orderById(reader: Reader, id: string): Promise<OrderRow | undefined> {
  return (await byId(reader).execute({ id }))[0];
}

export async function orderByKey(reader: Reader, memberId: string, key: string): Promise<OrderRow | undefined> {
  return (await byKey(reader).execute({ memberId, key }))[0];
}

export async function addOrder(unit: Unit, row: OrderRow): Promise<void> {
  await insertRow(unit).execute(row);
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

export async function ordersOf(
  reader: Reader,
  memberId: string,
  limit: number,
  before: string | undefined,
): Promise<OrderRow[]> {
  const { orders } = tables(reader);
  return reader.db
    .select()
    .from(orders)
    .where(and(eq(orders.memberId, memberId), before === undefined ? undefined : lt(orders.id, before)))
    .orderBy(desc(orders.id))
    .limit(limit);
}
