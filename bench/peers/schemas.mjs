// The schemas of bench/sample.ts, for the peers that validate with Zod.
import { z } from 'zod';

const line = z.strictObject({ sku: z.string().min(1).max(64), quantity: z.int().min(1).max(1_000) });
const money = z.strictObject({ amount: z.int().min(0), currency: z.string().regex(/^[A-Z]{3}$/) });

export const inputSchema = z.strictObject({
  orderId: z.uuid(),
  memberId: z.uuid(),
  lines: z.array(line).min(1).max(100),
});

export const outputSchema = z.object({
  orderId: z.uuid(),
  lines: z.array(line.extend({ price: money })),
  total: money,
});
