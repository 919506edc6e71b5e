import type { ModuleUnit } from '../../../shared/kernel/module/index.ts';
import { catalog, type Product } from '../contract.ts';
import { toRow } from './model.ts';
import { tables } from './tables.ts';

export async function put(product: Product, unit: ModuleUnit): Promise<Product> {
  const { products } = tables(unit);
  const { sku, ...rest } = toRow(product);
  await unit.db
    .insert(products)
    .values({ sku, ...rest })
    .onConflictDoUpdate({ target: products.sku, set: rest });
  await unit.publish(catalog.events.productChanged, product);
  return product;
}
