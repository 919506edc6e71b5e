import { page, text } from 'kerf/contract';
import { refusal } from 'kerf/errors';
import { answer, type Composition, gather, pageQuery, Resources } from 'kerf/http-api';
import { z } from 'zod';
import { catalog, type Product, product } from '../modules/catalog/contract.ts';
import { inventory } from '../modules/inventory/contract.ts';

/** `available` is null while inventory does not answer. */
const offer = product.extend({ available: z.int().nullable() });
const search = pageQuery.extend({ query: text(200).optional() });
const bySku = z.object({ sku: text(64, 1) });

/** Combines products of the catalog with their stock from inventory. */
export const products: Composition = {
  name: 'products',
  uses: [catalog, inventory],
  routes({ client }) {
    const goods = client(catalog);
    const stock = client(inventory);

    const withStock = async (found: Product[]) => {
      const skus = found.map(({ sku }) => sku);
      const { levels } = await gather({ levels: () => stock.levels({ skus }, { timeoutMs: 1_000 }) });
      const available = new Map(levels?.levels.map((level) => [level.sku, level.available]));
      return found.map((each) => ({ ...each, available: available.get(each.sku) ?? null }));
    };

    return new Resources('catalog', catalog)
      .add(
        { method: 'get', path: '/products', summary: 'Browse', query: search, answers: { 200: page(offer) } },
        async ({ query: { query: words, limit, cursor } }) => {
          const { items, next } = await goods.search({ words, limit, cursor });
          return answer(200, { items: await withStock(items), next });
        },
      )
      .add(
        {
          method: 'get',
          path: '/products/:sku',
          summary: 'A product',
          params: bySku,
          answers: { 200: offer },
          refusals: ['not-found'],
        },
        async ({ params: { sku } }) => {
          const { products: found } = await goods.find({ skus: [sku] }).catch(asUnknown);
          if (found.length === 0) throw refusal('not-found', 'there is no such product');
          const [shown] = await withStock(found);
          return answer(200, shown);
        },
      );
  },
};

/** Maps an invalid SKU to an empty result, as for an unknown product. */
function asUnknown(error: Error & { code?: string }): { products: Product[] } {
  if (error.code === 'invalid-input') return { products: [] };
  throw error;
}
