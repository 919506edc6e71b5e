import { inArray } from 'drizzle-orm';
import type { Reader } from '../../../shared/data/index.ts';
import { toProduct } from './model.ts';
import { tables } from './tables.ts';

export async function find({ skus }: { skus: string[] }, reader: Reader) {
  if (skus.length === 0) return { products: [] };
  const { products } = tables(reader);
  const rows = await reader.db.select().from(products).where(inArray(products.sku, skus));
  return { products: rows.map(toProduct) };
}
