// The shop as one Hono application: no modules, no outbox, no saga.
import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import { createMiddleware } from 'hono/factory';
import { checkoutBody, keyHeader, memberOf, openShop, pageQuery, ready, skuParam, statusOf } from './shop.mjs';

const shop = openShop();
const app = new Hono();

const signedIn = createMiddleware(async (c, next) => {
  try {
    c.set('member', await memberOf(c.req.header('authorization')));
  } catch {
    return c.json({ code: 'unauthenticated' }, 401);
  }
  await next();
});

app.onError((error, c) =>
  error.name === 'ZodError'
    ? c.json({ code: 'invalid-input', issues: error.issues }, 422)
    : c.json({ code: 'internal' }, 500),
);

app.post('/orders', signedIn, async (c) => {
  const key = keyHeader.parse(c.req.header('idempotency-key'));
  const order = shop.place(c.get('member'), checkoutBody.parse(await c.req.json()), key);
  return order.code ? c.json(order, statusOf[order.code]) : c.json(order, 201);
});

app.get('/orders', signedIn, (c) => {
  const { limit, cursor } = pageQuery.parse(c.req.query());
  return c.json(shop.orders(c.get('member'), limit, cursor));
});

app.get('/products/:sku', (c) => {
  const product = shop.product(skuParam.parse(c.req.param('sku')));
  return product ? c.json(product) : c.json({ code: 'not-found' }, 404);
});

serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, ({ port }) => void ready(port, shop));
