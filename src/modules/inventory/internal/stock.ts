import { and, eq, gte, sql } from 'drizzle-orm';
import { prepared } from '../../../shared/kernel/database/index.ts';
import type { ModuleUnit } from '../../../shared/kernel/module/index.ts';
import { inventory } from '../contract.ts';
import { type ReservedLine, tables } from './tables.ts';

const lowAt = 10;
const { placeholder } = sql;

const takeOut = prepared((unit) => {
  const { stock } = tables(unit);
  return unit.db
    .update(stock)
    .set({ available: sql`${stock.available} - ${placeholder('quantity')}` })
    .where(and(eq(stock.sku, placeholder('sku')), gte(stock.available, placeholder('quantity'))))
    .returning({ available: stock.available })
    .prepare();
});

const putIn = prepared((unit) => {
  const { stock } = tables(unit);
  return unit.db
    .insert(stock)
    .values({ sku: placeholder('sku'), available: placeholder('quantity') })
    .onConflictDoUpdate({ target: stock.sku, set: { available: sql`${stock.available} + ${placeholder('quantity')}` } })
    .returning({ available: stock.available })
    .prepare();
});

/** Takes one line out of the stock. Refuses with `out-of-stock`; the rollback of the caller's unit then undoes earlier lines. */
export async function take({ sku, quantity }: ReservedLine, unit: ModuleUnit): Promise<void> {
  const [left] = await takeOut(unit).execute({ sku, quantity });
  if (!left) throw inventory.refuse('out-of-stock', `there is not enough of ${sku}`, { sku });
  if (left.available < lowAt && left.available + quantity >= lowAt) {
    await unit.publish(inventory.events.stockLow, { sku, available: left.available });
  }
}

/** Adds a line to the stock, also for a new product. Returns the available quantity. */
export async function put({ sku, quantity }: ReservedLine, unit: ModuleUnit): Promise<number> {
  const [now] = await putIn(unit).execute({ sku, quantity });
  return now!.available;
}
