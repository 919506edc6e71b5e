import { and, asc, desc, inArray, notInArray, sql } from 'drizzle-orm';
import { defineTables, type Migration } from 'kerf/database';
import { handle, on } from 'kerf/module';
import { orders } from '../../orders/contract.ts';
import { recommendations } from '../contract.ts';

export const tables = defineTables(({ table, text, integer }) => ({
  /** Number of orders that contain both `sku` and `other`. The table has each pair in both directions. */
  pairs: table('pairs', {
    sku: text('sku').notNull(),
    other: text('other').notNull(),
    orders: integer('orders').notNull(),
  }),
}));

export const migrations: Migration[] = [
  {
    name: '0001-pairs',
    phase: 'expand',
    sqlite: `
      CREATE TABLE pairs (sku TEXT NOT NULL, other TEXT NOT NULL, orders INTEGER NOT NULL, PRIMARY KEY (sku, other)) WITHOUT ROWID;
      CREATE INDEX pairs_by_count ON pairs (sku, orders);
    `,
  },
];

const maxSkus = 20;

/** Counts every pair of an order's products, for at most its first twenty products: pairs grow with the square. */
export const learn = on(orders.events.confirmed, async ({ lines }, unit) => {
  const { pairs } = tables(unit);
  const skus = [...new Set(lines.map(({ sku }) => sku))].slice(0, maxSkus);
  const rows = skus.flatMap((sku) => skus.filter((other) => other !== sku).map((other) => ({ sku, other, orders: 1 })));
  if (rows.length === 0) return;
  await unit.db
    .insert(pairs)
    .values(rows)
    .onConflictDoUpdate({ target: [pairs.sku, pairs.other], set: { orders: sql`${pairs.orders} + 1` } });
});

export const boughtTogether = handle(recommendations.operations.boughtTogether, async ({ skus, limit }, reader) => {
  if (skus.length === 0) return { items: [] };
  const { pairs } = tables(reader);
  const score = sql<number>`sum(${pairs.orders})`.mapWith(Number);
  const items = await reader.db
    .select({ sku: pairs.other, score })
    .from(pairs)
    .where(and(inArray(pairs.sku, skus), notInArray(pairs.other, skus)))
    .groupBy(pairs.other)
    .orderBy(desc(score), asc(pairs.other))
    .limit(limit);
  return { items };
});
