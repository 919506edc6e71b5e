import { type Reader, rowsByAny } from '../../../shared/kernel/database/index.ts';
import { tables } from './tables.ts';

const bySkus = rowsByAny((reader) => tables(reader).stock, 'sku');

export async function levels({ skus }: { skus: string[] }, reader: Reader) {
  const available = new Map((await bySkus(reader, skus)).map((row) => [row.sku, row.available]));
  return { levels: skus.map((sku) => ({ sku, available: available.get(sku) ?? 0 })) };
}
