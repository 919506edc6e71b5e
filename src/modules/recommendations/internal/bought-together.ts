import { and, asc, desc, inArray, notInArray, sql } from 'drizzle-orm';
import type { Reader } from '../../../shared/kernel/database/index.ts';
import { tables } from './tables.ts';

export async function boughtTogether({ skus, limit }: { skus: string[]; limit: number }, reader: Reader) {
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
}
