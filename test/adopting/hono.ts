import type { HttpBindings } from '@hono/node-server';
import { Hono } from 'hono';
import type { EmbeddedProduct } from 'kerf/control/host';

/** An application with Hono that takes Kerf in. */
export function honoWith(kerf: EmbeddedProduct) {
  const app = new Hono<{ Bindings: HttpBindings }>();
  app.use((c, next) => (kerf.serves(c.req.raw) ? kerf.fetch(c.req.raw, c.env) : next()));
  app.post('/old', async (c) => c.json({ old: await c.req.json() }));
  return app;
}
