import { eq } from 'drizzle-orm';
import { defineTables, insertInto, type Migration, type Reader, rowBy, type Unit, updateBy } from 'kerf/database';
import { orNotFound } from 'kerf/errors';
import { handle, pagesOf } from 'kerf/module';
import { type Order, orders } from '../contract.ts';

export const tables = defineTables(({ table, text, integer, json }) => ({
  orders: table('orders', {
    id: text('id').primaryKey(),
    memberId: text('member_id').notNull(),
    status: text('status').$type<Order['status']>().notNull(),
    reason: text('reason'),
    lines: json<Order['lines']>('lines').notNull(),
    amount: integer('amount').notNull(),
    currency: text('currency').notNull(),
    key: text('key').notNull(),
    /** Fingerprint of the request under this key. It distinguishes a repeat from another order. */
    fingerprint: text('fingerprint').notNull(),
    createdAt: text('created_at').notNull(),
  }),
}));

export type OrderRow = ReturnType<typeof tables>['orders']['$inferSelect'];

export const migrations: Migration[] = [
  {
    name: '0001-orders',
    phase: 'expand',
    sqlite: `
      CREATE TABLE orders (
        id TEXT PRIMARY KEY,
        member_id TEXT NOT NULL,
        status TEXT NOT NULL,
        reason TEXT,
        lines TEXT NOT NULL,
        amount INTEGER NOT NULL,
        currency TEXT NOT NULL,
        key TEXT NOT NULL,
        fingerprint TEXT NOT NULL,
        created_at TEXT NOT NULL
      );
      CREATE UNIQUE INDEX orders_by_key ON orders (member_id, key);
      CREATE INDEX orders_by_member ON orders (member_id, id);
    `,
  },
];

export const addOrder = insertInto((unit) => tables(unit).orders);
export const orderById = rowBy((reader) => tables(reader).orders, 'id');
const orderByMember = rowBy((reader) => tables(reader).orders, 'id', 'memberId');
export const orderByKey = rowBy((reader) => tables(reader).orders, 'memberId', 'key');
const updateStatus = updateBy((unit) => tables(unit).orders, 'id', 'status', 'reason');
const pages = pagesOf('orders.list', (reader) => tables(reader).orders, 'id', 'descending');

export async function setStatus(unit: Unit, id: string, status: Order['status'], reason: string | null = null) {
  await updateStatus(unit, id, { status, reason });
  return (await orderById(unit, id))!;
}

export function toOrder({ id, status, reason, lines, amount, currency, createdAt }: OrderRow): Order {
  return { id, status, ...(reason !== null && { reason }), lines, total: { amount, currency }, createdAt };
}

/** Returns the data of an order's events. */
export function toEvent({ id, memberId, lines, amount, currency }: OrderRow) {
  const ordered = lines.map(({ sku, quantity }) => ({ sku, quantity }));
  return { orderId: id, memberId, lines: ordered, total: { amount, currency } };
}

/** Returns an order of this member. Refuses with `not-found` when there is none, or when it is another member's. */
export async function orderOf(reader: Reader, { id, memberId }: { id: string; memberId: string }) {
  return orNotFound(await orderByMember(reader, id, memberId), 'order');
}

export const get = handle(orders.operations.get, async (wanted, reader) => toOrder(await orderOf(reader, wanted)));

export const list = handle(orders.operations.list, ({ memberId, ...request }, reader) =>
  pages(reader, request, toOrder, eq(tables(reader).orders.memberId, memberId)),
);
