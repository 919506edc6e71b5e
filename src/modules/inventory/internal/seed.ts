import type { ModuleUnit } from 'kerf/module';
import { restock } from './store.ts';

const many = 100_000;
const skus = `
  SAW-RIP SAW-CROSS SAW-DOVETAIL SAW-COPING SAW-BOW PLANE-BLOCK PLANE-SMOOTH CHISEL-06 CHISEL-12 CHISEL-25 MALLET
  MARKING-GAUGE SQUARE CLAMP-300 CLAMP-900 GLUE OIL WAX STONE-1000 STONE-6000 WORKBENCH
`;

/** Adds the initial stock of the catalog's first products. */
export async function seed(unit: ModuleUnit): Promise<void> {
  for (const sku of skus.trim().split(/\s+/)) await restock({ sku, quantity: many }, unit);
  await restock({ sku: 'LIMITED-1', quantity: 5 }, unit);
}
