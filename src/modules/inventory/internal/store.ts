import { defineTables, type Migration } from 'kerf/database';

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

export const migrations: Migration[] = [
  {
    name: '0001-stock',
    phase: 'expand',
    sqlite: `
      CREATE TABLE stock (sku TEXT PRIMARY KEY, available INTEGER NOT NULL CHECK (available >= 0));
      CREATE TABLE reservations (
        order_id TEXT PRIMARY KEY,
        state TEXT NOT NULL,
        lines TEXT NOT NULL,
        expires_at INTEGER NOT NULL
      );
      CREATE INDEX reservations_held ON reservations (expires_at) WHERE state = 'held';
    `,
  },
];
