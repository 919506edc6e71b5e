import { hash } from 'node:crypto';
import { invalidInput } from 'kerf/errors';
import type { Product } from '../../catalog/contract.ts';
import type { Order } from '../contract.ts';

type Wanted = { sku: string; quantity: number };

/** Merges lines of the same product into one line. */
export function mergeLines(lines: readonly Wanted[]): Wanted[] {
  const merged = new Map<string, number>();
  for (const { sku, quantity } of lines) merged.set(sku, (merged.get(sku) ?? 0) + quantity);
  const merges = [...merged].map(([sku, quantity]) => ({ sku, quantity }));
  const tooMany = merges.find(({ quantity }) => quantity > 1_000);
  if (tooMany) throw invalidInput([{ path: 'lines', message: `at most 1000 of ${tooMany.sku} in one order` }]);
  return merges;
}

/** Returns the lines at today's prices. Refuses unknown products, and an order in two currencies. */
export function priceLines(wanted: readonly Wanted[], products: readonly Product[]): Pick<Order, 'lines' | 'total'> {
  const bySku = new Map(products.map((product) => [product.sku, product]));
  const lines = wanted.map(({ sku, quantity }, index) => {
    const price = bySku.get(sku)?.price;
    if (!price) throw invalidInput([{ path: `lines.${index}.sku`, message: `there is no product ${sku}` }]);
    return { sku, quantity, price };
  });
  const { currency } = lines[0]!.price;
  if (lines.some(({ price }) => price.currency !== currency)) {
    throw invalidInput([{ path: 'lines', message: 'all products of an order must be in one currency' }]);
  }
  const amount = lines.reduce((sum, { price, quantity }) => sum + price.amount * quantity, 0);
  if (!Number.isSafeInteger(amount)) throw invalidInput([{ path: 'lines', message: 'the total is too large' }]);
  return { lines, total: { amount, currency } };
}

export function fingerprintOf(lines: readonly Wanted[], paymentToken: string): string {
  return hash('sha256', JSON.stringify([lines, paymentToken]), 'base64url');
}
