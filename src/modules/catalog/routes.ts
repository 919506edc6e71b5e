import type { Client } from 'kerf/contract';
import { answer, Resources } from 'kerf/http-api';
import { z } from 'zod';
import { catalog, product, sku } from './contract.ts';

export function routes(self: Client<typeof catalog>): Resources {
  return new Resources('catalog', catalog).put(
    '/products/:sku',
    'Add a product or change it',
    {
      roles: ['catalog-editor'],
      params: z.object({ sku }),
      body: product.omit({ sku: true }).strict(),
      answers: { 200: product },
    },
    async ({ params: { sku }, body }) => answer(200, await self.put({ ...body, sku })),
  );
}
