import type { Product } from '../contract.ts';
import type { ProductRow } from './tables.ts';

export function toRow({ sku, name, description, price }: Product): ProductRow {
  return { sku, name, description, ...price, words: `${name} ${description}`.toLowerCase() };
}

export function toProduct({ sku, name, description, amount, currency }: ProductRow): Product {
  return { sku, name, description, price: { amount, currency } };
}
