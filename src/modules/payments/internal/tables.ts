import { defineTables } from '../../../shared/kernel/database/index.ts';

/** `authorizing`: the module calls the provider and does not know the answer yet. */
export type PaymentStatus = 'authorizing' | 'authorized' | 'captured' | 'voided' | 'refunded' | 'declined';

export const tables = defineTables(({ table, text, integer }) => ({
  payments: table('payments', {
    id: text('id').primaryKey(),
    orderId: text('order_id').notNull(),
    memberId: text('member_id').notNull(),
    amount: integer('amount').notNull(),
    currency: text('currency').notNull(),
    status: text('status').$type<PaymentStatus>().notNull(),
    updatedAt: text('updated_at').notNull(),
  }),
}));

export type PaymentRow = ReturnType<typeof tables>['payments']['$inferSelect'];
