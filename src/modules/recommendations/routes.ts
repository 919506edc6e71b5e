import { type Client, text } from 'kerf/contract';
import { answer, Resources } from 'kerf/http-api';
import { z } from 'zod';
import { recommendation, recommendations } from './contract.ts';

const query = z.object({ sku: text(64, 1), limit: z.coerce.number().int().min(1).max(100).default(10) });

export function routes(self: Client<typeof recommendations>): Resources {
  return new Resources('recommendations', recommendations).get(
    '/recommendations',
    'Bought together',
    { query, answers: { 200: z.object({ items: z.array(recommendation) }) } },
    async ({ query: { sku, limit } }) => answer(200, await self.boughtTogether({ skus: [sku], limit })),
  );
}
