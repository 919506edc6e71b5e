import { and, asc, gt, sql } from 'drizzle-orm';
import type { Reader } from '../../../shared/data/index.ts';
import { toProduct } from './model.ts';
import { tables } from './tables.ts';

export async function search(
  { words, limit, cursor }: { words?: string; limit: number; cursor?: string },
  reader: Reader,
) {
  const { products } = tables(reader);
  const wanted = words?.toLowerCase().split(/\s+/).filter(Boolean) ?? [];
  const rows = await reader.db
    .select()
    .from(products)
    .where(
      and(
        cursor === undefined ? undefined : gt(products.sku, cursor),
        ...wanted.map((word) => sql`${products.words} like ${`%${escapeLike(word)}%`} escape '\\'`),
      ),
    )
    .orderBy(asc(products.sku))
    .limit(limit + 1);
  const items = rows.slice(0, limit).map(toProduct);
  return { items, next: rows.length > limit ? items.at(-1)!.sku : null };
}

function escapeLike(word: string): string {
  return word.replace(/[\\%_]/g, (special) => `\\${special}`);
}
