import { defineTables } from '../../../shared/kernel/database/index.ts';

export const tables = defineTables(({ table, text, integer }) => ({
  products: table('products', {
    sku: text('sku').primaryKey(),
    name: text('name').notNull(),
    description: text('description').notNull(),
    amount: integer('amount').notNull(),
    currency: text('currency').notNull(),
    /** Name and description in lower case, for search. */
    words: text('words').notNull(),
  }),
}));

export type ProductRow = ReturnType<typeof tables>['products']['$inferSelect'];
