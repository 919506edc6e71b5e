import { inArray } from 'drizzle-orm';
import type { Reader } from '../../../shared/data/index.ts';
import { tables } from './tables.ts';

export async function levels({ skus }: { skus: string[] }, reader: Reader) {
  if (skus.length === 0) return { levels: [] };
  const { stock } = tables(reader);
  const rows = await reader.db.select().from(stock).where(inArray(stock.sku, skus));
  const available = new Map(rows.map((row) => [row.sku, row.available]));
  return { levels: skus.map((sku) => ({ sku, available: available.get(sku) ?? 0 })) };
}
