import { defineTables } from '../../../shared/kernel/database/index.ts';

export const tables = defineTables(({ table, text, integer }) => ({
  /** In how many orders `other` was bought with `sku`; each pair stands both ways. */
  pairs: table('pairs', {
    sku: text('sku').notNull(),
    other: text('other').notNull(),
    orders: integer('orders').notNull(),
  }),
}));
