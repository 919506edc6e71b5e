import { and, asc, gt, sql } from 'drizzle-orm';
import { Cursors } from '../../../shared/kernel/contract/index.ts';
import type { Reader } from '../../../shared/kernel/database/index.ts';
import { toProduct } from './model.ts';
import { tables } from './tables.ts';

const cursors = new Cursors('catalog.search');

export async function search(
  { words, limit, cursor }: { words?: string; limit: number; cursor?: string },
  reader: Reader,
) {
  const { products } = tables(reader);
  const after = cursors.keyOf(cursor);
  const wanted = words?.toLowerCase().split(/\s+/).filter(Boolean) ?? [];
  const rows = await reader.db
    .select()
    .from(products)
    .where(
      and(
        after === undefined ? undefined : gt(products.sku, after),
        ...wanted.map((word) => sql`${products.words} like ${`%${escapeLike(word)}%`} escape '\\'`),
      ),
    )
    .orderBy(asc(products.sku))
    .limit(limit + 1);
  return cursors.page(rows, limit, ({ sku }) => sku, toProduct);
}

function escapeLike(word: string): string {
  return word.replace(/[\\%_]/g, (special) => `\\${special}`);
}
