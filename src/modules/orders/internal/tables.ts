import { defineTables } from '../../../shared/kernel/database/index.ts';

export type OrderStatus = 'pending' | 'confirmed' | 'rejected' | 'cancelled';
export type OrderLine = { sku: string; quantity: number; price: { amount: number; currency: string } };

export const tables = defineTables(({ table, text, integer, json }) => ({
  orders: table('orders', {
    id: text('id').primaryKey(),
    memberId: text('member_id').notNull(),
    status: text('status').$type<OrderStatus>().notNull(),
    reason: text('reason'),
    lines: json<OrderLine[]>('lines').notNull(),
    amount: integer('amount').notNull(),
    currency: text('currency').notNull(),
    key: text('key').notNull(),
    /** Fingerprint of the request under this key. It distinguishes a repeat from another order. */
    fingerprint: text('fingerprint').notNull(),
    createdAt: text('created_at').notNull(),
  }),
}));

export type OrderRow = ReturnType<typeof tables>['orders']['$inferSelect'];

/** The columns of an order that members see. */
export type ShownOrder = Omit<OrderRow, 'memberId' | 'key' | 'fingerprint'>;
