import type { ModuleUnit } from '../../../shared/kernel/module/index.ts';
import { put } from './stock.ts';
import type { Line } from './tables.ts';

export async function restock({ sku, quantity }: Line, unit: ModuleUnit) {
  return { sku, available: await put({ sku, quantity }, unit) };
}
