import { command, contract, event, money, page, pageRequest, query, text } from 'kerf/contract';
import { z } from 'zod';

export const sku = text(64, 1).regex(
  /^[A-Za-z0-9][A-Za-z0-9._-]*$/,
  'must be letters, digits, dots, dashes or underscores',
);

export const product = z.object({ sku, name: text(200, 1), description: text(2_000), price: money });
export type Product = z.infer<typeof product>;

export const catalog = contract('catalog', {
  operations: {
    search: query({
      summary: 'Products whose name or description contains the words, by SKU',
      input: pageRequest.extend({ words: text(200).optional() }),
      output: page(product),
    }),
    find: query({
      summary: 'The products with these SKUs; what is not there is left out',
      input: z.strictObject({ skus: z.array(sku).max(100) }),
      output: z.object({ products: z.array(product) }),
    }),
    put: command({ summary: 'Adds a product or changes it', input: product, output: product }),
  },
  events: {
    productChanged: event('product-changed', 1, 'sku', product),
  },
});
