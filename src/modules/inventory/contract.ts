import { command, contract, event, id, query, text } from 'kerf/contract';
import { z } from 'zod';

const sku = text(64, 1);
const line = z.strictObject({ sku, quantity: z.int().min(1) });
export type Line = z.infer<typeof line>;
const ofOrder = z.strictObject({ orderId: id });
/**
 * `held` until an order takes it or it expires; `taken` by an order; `released` when its stock came back before that; `returned` when its
 * stock came back after that.
 */
const state = z.enum(['held', 'taken', 'released', 'returned']);
const reservation = z.object({ orderId: id, state });
export type Reservation = z.infer<typeof reservation>;

export const inventory = contract('inventory', {
  operations: {
    levels: query({
      summary: 'What is left of these SKUs',
      input: z.strictObject({ skus: z.array(sku).max(100) }),
      output: z.object({ levels: z.array(z.object({ sku, available: z.int() })) }),
    }),
    reserve: command({
      summary: 'Holds stock for an order, all lines or none, for a time',
      input: ofOrder.extend({ lines: z.array(line).min(1).max(100) }),
      output: reservation,
    }),
    take: command({ summary: 'Makes what is held the order’s for good', input: ofOrder, output: reservation }),
    release: command({
      summary:
        'Ends a reservation, held or taken, and gives the stock back; a later attempt to reserve for it is refused',
      input: ofOrder,
      output: reservation,
    }),
    restock: command({
      summary: 'Adds to the stock of a SKU',
      input: z.strictObject({ sku, quantity: z.int().min(1).max(1_000_000) }),
      output: z.object({ sku, available: z.int() }),
    }),
  },
  events: {
    stockLow: event('stock-low', 1, 'sku', z.object({ sku, available: z.int() })),
  },
  errors: {
    'out-of-stock': { status: 409, title: 'There is not enough in stock', data: z.object({ sku }) },
    'reservation-over': { status: 409, title: 'The reservation has ended' },
  },
});
