import { contract, query, text } from 'kerf/contract';
import { z } from 'zod';

const sku = text(64, 1);
export const recommendation = z.object({ sku, score: z.number() });

export const recommendations = contract('recommendations', {
  operations: {
    boughtTogether: query({
      summary: 'What was bought with these SKUs, the most often first; the score is in how many orders',
      input: z.strictObject({ skus: z.array(sku).max(100), limit: z.int().min(1).max(100).default(10) }),
      output: z.object({ items: z.array(recommendation) }),
    }),
  },
});
