// The work of every peer: the input and the handler of bench/sample.ts, without a framework.

export const input = {
  orderId: '01a20574-e445-7214-94c1-f21b410e3108',
  memberId: '01a20574-e188-771a-a67c-f689723c5abe',
  lines: [
    { sku: 'WAX', quantity: 2 },
    { sku: 'OIL', quantity: 1 },
    { sku: 'SAW-DOVETAIL', quantity: 4 },
  ],
};

export async function price({ orderId, lines }) {
  const price = { amount: 22_000, currency: 'KRW' };
  return { orderId, lines: lines.map((each) => ({ ...each, price })), total: { amount: 154_000, currency: 'KRW' } };
}
