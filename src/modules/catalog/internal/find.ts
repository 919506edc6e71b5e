import { type Reader, rowsByAny } from '../../../shared/kernel/database/index.ts';
import { toProduct } from './model.ts';
import { tables } from './tables.ts';

const bySkus = rowsByAny((reader) => tables(reader).products, 'sku');

export async function find({ skus }: { skus: string[] }, reader: Reader) {
  return { products: (await bySkus(reader, skus)).map(toProduct) };
}
