import Fastify, { type FastifyInstance } from 'fastify';
import type { EmbeddedProduct } from 'kerf/control/host';

/** An application with Fastify that takes Kerf in. */
export function fastifyWith(kerf: EmbeddedProduct): FastifyInstance {
  const app = Fastify();
  app.addHook('onRequest', (request, reply, done) => kerf.handle(request.raw, reply.raw, done));
  app.post('/old', (request) => ({ old: request.body }));
  return app;
}
