import { defineTables } from '../../../shared/kernel/database/index.ts';

export const tables = defineTables(({ table, text, integer }) => ({
  /** Number of orders that contain both `sku` and `other`. The table has each pair in both directions. */
  pairs: table('pairs', {
    sku: text('sku').notNull(),
    other: text('other').notNull(),
    orders: integer('orders').notNull(),
  }),
}));
