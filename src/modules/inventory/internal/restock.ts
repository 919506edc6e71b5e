import type { ModuleUnit } from '../../../shared/kernel/module/index.ts';
import { put } from './stock.ts';
import type { ReservedLine } from './tables.ts';

export async function restock({ sku, quantity }: ReservedLine, unit: ModuleUnit) {
  return { sku, available: await put({ sku, quantity }, unit) };
}
