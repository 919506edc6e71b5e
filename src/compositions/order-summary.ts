import { answer, type Composition, gather, idParam, Resources } from 'kerf/http-api';
import { z } from 'zod';
import { message, notifications } from '../modules/notifications/contract.ts';
import { order, orders } from '../modules/orders/contract.ts';
import { payment, payments } from '../modules/payments/contract.ts';
import { recommendation, recommendations } from '../modules/recommendations/contract.ts';

const summary = z.object({
  order: order.nullable(),
  payment: payment.nullable(),
  messages: z.array(message).nullable(),
  recommendations: z.array(recommendation).nullable(),
  missing: z.array(z.string()),
});

const quick = { timeoutMs: 1_000 };

/** Returns an order with its related data. `missing` names each part that does not arrive within a second. */
export const orderSummary: Composition = {
  name: 'order-summary',
  uses: [orders, payments, notifications, recommendations],
  routes({ client }) {
    const [bought, paid, told, together] = [
      client(orders),
      client(payments),
      client(notifications),
      client(recommendations),
    ];
    return new Resources('orders', orders).add(
      {
        method: 'get',
        path: '/orders/:id/summary',
        summary: 'An order with its payment, messages and recommendations',
        member: true,
        params: idParam,
        answers: { 200: summary },
        refusals: ['not-found'],
      },
      async ({ params: { id }, member: memberId }) => {
        const first = await gather({ orders: () => bought.get({ id, memberId }, quick) });
        const skus = first.orders?.lines.map(({ sku }) => sku) ?? [];
        const rest = await gather({
          payments: () => paid.ofOrder({ orderId: id, memberId }, quick),
          notifications: () => told.history({ memberId, orderId: id, limit: 100 }, quick),
          recommendations: () => together.boughtTogether({ skus, limit: 5 }, quick),
        });
        return answer(200, {
          order: first.orders,
          payment: rest.payments?.payment ?? null,
          messages: rest.notifications?.items ?? null,
          recommendations: rest.recommendations?.items ?? null,
          missing: [...first.missing, ...rest.missing],
        });
      },
    );
  },
};
