import { defineTables } from '../../../shared/kernel/database/index.ts';

/**
 * `held` until an order takes it or it expires; `taken` by an order; `released` when its stock came back before that; `returned` when its
 * stock came back after that.
 */
export type ReservationState = 'held' | 'taken' | 'released' | 'returned';
export type ReservedLine = { sku: string; quantity: number };

export const tables = defineTables(({ table, text, integer, json }) => ({
  stock: table('stock', {
    sku: text('sku').primaryKey(),
    available: integer('available').notNull(),
  }),
  reservations: table('reservations', {
    orderId: text('order_id').primaryKey(),
    state: text('state').$type<ReservationState>().notNull(),
    lines: json<ReservedLine[]>('lines').notNull(),
    expiresAt: integer('expires_at').notNull(),
  }),
}));
