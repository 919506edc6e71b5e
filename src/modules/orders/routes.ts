import { newId } from 'kerf/context';
import { type Client, page, text } from 'kerf/contract';
import { answer, idParam, pageQuery, Resources } from 'kerf/http-api';
import { z } from 'zod';
import { type Order, order, orderLines, orders } from './contract.ts';

const checkoutBody = z.strictObject({ lines: orderLines, payment: z.strictObject({ token: text(200, 1) }) });

const checkoutHeaders = z.object({
  'idempotency-key': text(200, 1).optional(),
  prefer: z.array(z.string().max(100)).max(20).optional(),
});

export function routes(self: Client<typeof orders>): Resources {
  return new Resources('orders', orders)
    .post(
      '/orders',
      'Check out',
      {
        member: true,
        headers: checkoutHeaders,
        body: checkoutBody,
        answers: { 201: order, 202: order },
        refusals: ['payment-declined', 'out-of-stock', 'idempotency-key-reused', 'order-failed'],
      },
      async ({ body: { lines, payment }, headers, member }) => {
        const key = headers['idempotency-key'] ?? newId();
        const waitMs = waitSeconds(headers.prefer) * 1_000;
        return placed(await self.place({ memberId: member, lines, paymentToken: payment.token, key, waitMs }));
      },
    )
    .get(
      '/orders',
      'Your orders',
      { member: true, query: pageQuery, answers: { 200: page(order) } },
      async ({ query, member }) => answer(200, await self.list({ ...query, memberId: member })),
    )
    .get(
      '/orders/:id',
      'Your order',
      { member: true, params: idParam, answers: { 200: order }, refusals: ['not-found'] },
      async ({ params, member }) => answer(200, await self.get({ id: params.id, memberId: member })),
    )
    .post(
      '/orders/:id/cancel',
      'Cancel a confirmed order',
      { member: true, params: idParam, answers: { 200: order }, refusals: ['not-found', 'not-cancellable'] },
      async ({ params, member }) => answer(200, await self.cancel({ id: params.id, memberId: member })),
    );
}

function placed(placedOrder: Order) {
  const { id: orderId, status, reason } = placedOrder;
  if (status !== 'rejected')
    return answer(status === 'pending' ? 202 : 201, placedOrder, { location: `/orders/${orderId}` });
  if (reason === 'payment-declined' || reason === 'out-of-stock') throw orders.refuse(reason, undefined, { orderId });
  throw orders.refuse('order-failed', 'nothing was charged; try again with a new Idempotency-Key', { orderId });
}

/** Returns N of `Prefer: wait=N` (RFC 7240) in seconds: default 2, maximum 10. The first of several counts, as the RFC requires. */
function waitSeconds(preferences: readonly string[] = []): number {
  const asked = /(?:^|[,;\s])wait=(\d{1,9})(?:$|[,;\s])/i.exec(preferences.join())?.[1];
  return asked === undefined ? 2 : Math.min(10, Number(asked));
}
