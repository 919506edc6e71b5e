import { command, contract, event, id, money, query, text } from 'kerf/contract';
import { z } from 'zod';

export const payment = z.object({
  id,
  orderId: id,
  amount: money,
  status: z.enum(['authorized', 'captured', 'voided', 'refunded', 'declined']),
});
export type Payment = z.infer<typeof payment>;

const ofOrder = z.strictObject({ orderId: id, memberId: id, amount: money });
const settled = z.object({ paymentId: id, orderId: id, memberId: id, amount: money });

export const payments = contract('payments', {
  operations: {
    authorize: command({
      summary: 'Reserves the amount for an order at the provider',
      input: ofOrder.extend({ token: text(200, 1) }),
      output: payment,
      timeoutMs: 5_000,
    }),
    capture: command({ summary: 'Takes the reserved amount', input: ofOrder, output: payment }),
    void: command({
      summary: 'Releases the reserved amount; a later attempt to authorize for the order is refused',
      input: ofOrder,
      output: payment,
    }),
    refund: command({ summary: 'Gives back the amount that was taken', input: ofOrder, output: payment }),
    get: query({ summary: 'A payment of a member', input: z.strictObject({ id, memberId: id }), output: payment }),
    ofOrder: query({
      summary: "The payment of a member's order",
      input: z.strictObject({ orderId: id, memberId: id }),
      output: z.object({ payment: payment.nullable() }),
    }),
  },
  events: {
    captured: event('payment-captured', 1, 'orderId', settled),
    refunded: event('payment-refunded', 1, 'orderId', settled),
  },
  errors: {
    'payment-declined': { status: 402, title: 'The payment was declined' },
    'payment-over': { status: 409, title: 'The payment is in a state that does not allow this' },
  },
});
