import { and, eq, gte, sql } from 'drizzle-orm';
import { defineTables, type Migration, prepared, rowsByAny } from 'kerf/database';
import { handle, type ModuleUnit } from 'kerf/module';
import { inventory, type Line, type Reservation } from '../contract.ts';

export const tables = defineTables(({ table, text, integer, json }) => ({
  stock: table('stock', {
    sku: text('sku').primaryKey(),
    available: integer('available').notNull(),
  }),
  reservations: table('reservations', {
    orderId: text('order_id').primaryKey(),
    state: text('state').$type<Reservation['state']>().notNull(),
    lines: json<Line[]>('lines').notNull(),
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

const lowAt = 10;
const { placeholder } = sql;
const bySkus = rowsByAny((reader) => tables(reader).stock, 'sku');

const takeOut = prepared((unit) => {
  const { stock } = tables(unit);
  return unit.db
    .update(stock)
    .set({ available: sql`${stock.available} - ${placeholder('quantity')}` })
    .where(and(eq(stock.sku, placeholder('sku')), gte(stock.available, placeholder('quantity'))))
    .returning({ available: stock.available })
    .prepare();
});

/** Takes one line out of the stock. Refuses with `out-of-stock`; the rollback of the caller's unit then undoes earlier lines. */
export async function takeFromStock({ sku, quantity }: Line, unit: ModuleUnit): Promise<void> {
  const [left] = await takeOut(unit).execute({ sku, quantity });
  if (!left) throw inventory.refuse('out-of-stock', `there is not enough of ${sku}`, { sku });
  if (left.available < lowAt && left.available + quantity >= lowAt) {
    await unit.publish(inventory.events.stockLow, { sku, available: left.available });
  }
}

/** Adds to the stock of a product, also of a new one. */
export const restock = handle(inventory.operations.restock, async ({ sku, quantity }, unit) => {
  const { stock } = tables(unit);
  const [now] = await unit.db
    .insert(stock)
    .values({ sku, available: quantity })
    .onConflictDoUpdate({ target: stock.sku, set: { available: sql`${stock.available} + ${quantity}` } })
    .returning({ available: stock.available });
  return { sku, available: now!.available };
});

export const levels = handle(inventory.operations.levels, async ({ skus }, reader) => {
  const available = new Map((await bySkus(reader, skus)).map((row) => [row.sku, row.available]));
  return { levels: skus.map((sku) => ({ sku, available: available.get(sku) ?? 0 })) };
});
