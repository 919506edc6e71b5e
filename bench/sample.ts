import { z } from 'zod';
import { contract, id, money, query, text } from '../src/shared/kernel/contract/index.ts';

const line = z.strictObject({ sku: text(64, 1), quantity: z.int().min(1).max(1_000) });

/** A sample contract with a payload like an order's. */
export const sample = contract('sample', {
  operations: {
    price: query({
      summary: 'Prices an order',
      input: z.strictObject({ orderId: id, memberId: id, lines: z.array(line).min(1).max(100) }),
      output: z.object({ orderId: id, lines: z.array(line.extend({ price: money })), total: money }),
    }),
  },
});

export const input = {
  orderId: '01a20574-e445-7214-94c1-f21b410e3108',
  memberId: '01a20574-e188-771a-a67c-f689723c5abe',
  lines: [
    { sku: 'WAX', quantity: 2 },
    { sku: 'OIL', quantity: 1 },
    { sku: 'SAW-DOVETAIL', quantity: 4 },
  ],
};

type Input = z.output<typeof sample.operations.price.input>;

export async function price({ orderId, lines }: Input) {
  const price = { amount: 22_000, currency: 'KRW' };
  return { orderId, lines: lines.map((each) => ({ ...each, price })), total: { amount: 154_000, currency: 'KRW' } };
}
