import { sql } from 'drizzle-orm';
import type { ModuleUnit } from '../../../shared/kernel/module/index.ts';
import { tables } from './tables.ts';

const maxSkus = 20;

/** Counts every pair of an order's products, for at most its first twenty products: pairs grow with the square. */
export async function learn({ lines }: { lines: { sku: string }[] }, unit: ModuleUnit): Promise<void> {
  const { pairs } = tables(unit);
  const skus = [...new Set(lines.map(({ sku }) => sku))].slice(0, maxSkus);
  const rows = skus.flatMap((sku) => skus.filter((other) => other !== sku).map((other) => ({ sku, other, orders: 1 })));
  if (rows.length === 0) return;
  await unit.db
    .insert(pairs)
    .values(rows)
    .onConflictDoUpdate({ target: [pairs.sku, pairs.other], set: { orders: sql`${pairs.orders} + 1` } });
}
