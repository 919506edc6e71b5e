import { command, contract, event, id, instant, money, page, pageRequest, query, text } from 'kerf/contract';
import { z } from 'zod';
import { sku } from '../catalog/contract.ts';

const quantity = z.int().min(1).max(1_000);
const orderLine = z.strictObject({ sku, quantity });
export const orderLines = z.array(orderLine).min(1).max(100);

export const order = z.object({
  id,
  status: z.enum(['pending', 'confirmed', 'rejected', 'cancelled']),
  reason: z.string().optional(),
  lines: z.array(z.object({ sku: z.string(), quantity, price: money })),
  total: money,
  createdAt: instant,
});
export type Order = z.infer<typeof order>;

const ofMember = z.strictObject({ id, memberId: id });
const orderEvent = z.object({
  orderId: id,
  memberId: id,
  lines: z.array(z.object({ sku: z.string(), quantity })),
  total: money,
});

export const orders = contract('orders', {
  operations: {
    place: command({
      summary: 'Checks out, and waits up to waitMs for the outcome',
      input: z.strictObject({
        memberId: id,
        lines: orderLines,
        paymentToken: text(200, 1),
        /** Key that the member chooses. A repeated key means the same order. */
        key: text(200, 1),
        waitMs: z.int().min(0).max(10_000),
      }),
      output: order,
      timeoutMs: 14_000,
    }),
    get: query({ summary: 'An order of a member', input: ofMember, output: order }),
    list: query({
      summary: "A member's orders, the latest first",
      input: pageRequest.extend({ memberId: id }),
      output: page(order),
    }),
    cancel: command({
      summary: 'Cancels a confirmed order: its stock comes back and its payment is refunded',
      input: ofMember,
      output: order,
    }),
  },
  events: {
    placed: event('order-placed', 1, 'orderId', orderEvent),
    confirmed: event('order-confirmed', 1, 'orderId', orderEvent),
    rejected: event('order-rejected', 1, 'orderId', orderEvent.extend({ reason: z.string() })),
    cancelled: event('order-cancelled', 1, 'orderId', orderEvent),
  },
  errors: {
    'payment-declined': { status: 402, title: 'The payment was declined', data: z.object({ orderId: id }) },
    'out-of-stock': { status: 409, title: 'There is not enough in stock', data: z.object({ orderId: id }) },
    'not-cancellable': { status: 409, title: 'Only a confirmed order can be cancelled' },
    'idempotency-key-reused': { status: 422, title: 'The key was used before for another order' },
    'order-failed': { status: 503, title: 'The order could not be completed', data: z.object({ orderId: id }) },
  },
});
