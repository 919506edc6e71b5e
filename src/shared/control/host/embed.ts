import type { IncomingMessage, ServerResponse } from 'node:http';
import { getRequestListener } from '@hono/node-server';
import { StartError } from '../../kernel/errors/index.ts';
import { createGateway, headersOfAll } from '../gateway/index.ts';
import { openProduct, type ProductDefinition, run } from './product.ts';

/** Node's objects of a request, when there are some: they tell the client's address, and when the client disconnects. */
export interface Bindings {
  readonly incoming?: IncomingMessage;
  readonly outgoing?: ServerResponse;
}

/** A product that answers inside another application. Has the internal listener, and no public one. */
export interface EmbeddedProduct {
  /** Tells whether a resource of the product has the path of a request, whatever its method. */
  serves(request: Request): boolean;
  /** Answers a request. Hono on Node passes its `c.env` on as the bindings. */
  fetch(request: Request, bindings?: Bindings): Promise<Response>;
  /**
   * Middleware for Express, NestJS and every application with Node's own requests. Answers a request whose path a resource has, and calls
   * `next` otherwise; without `next`, answers all. Must stand before middleware that reads bodies.
   */
  handle(incoming: IncomingMessage, outgoing: ServerResponse, next?: (error?: unknown) => void): void;
  /** Finishes the work in flight, stops the module processes, and closes the data. */
  close(): Promise<void>;
}

async function runInPlace(product: ProductDefinition, option: string): Promise<never> {
  await run(product);
  if (option === '--modules') process.exit();
  return new Promise(() => {});
}

/**
 * Opens a product inside another application. `env` has the settings, which override those of `topology.yaml`. Signals are the
 * application's: it calls `close` before it ends. Rejects with a `StartError` when something prevents the start.
 *
 * A module that is out runs the same program with `--only`. There, `embed` runs that module alone and does not return, so the
 * application calls it before it opens anything of its own.
 */
export async function embed(product: ProductDefinition, env = process.env): Promise<EmbeddedProduct> {
  const [option] = process.argv.slice(2);
  if (option === '--only' || option === '--modules') await runInPlace(product, option);
  const host = await openProduct(product, env);
  const api = createGateway(host, product.compositions);
  api.begin();
  const defaults = await headersOfAll();
  const fetch = async (request: Request, bindings: Bindings = {}) => {
    const response = await api.fetch(request, bindings);
    for (const [name, value] of defaults) if (!response.headers.has(name)) response.headers.set(name, value);
    return response;
  };
  const answer = getRequestListener((request, bindings) => fetch(request, bindings as Bindings), {
    overrideGlobalObjects: false,
  });
  return {
    serves: (request) => api.serves(new URL(request.url).pathname),
    fetch,
    handle(incoming, outgoing, next) {
      const [path = '/'] = (incoming.url ?? '/').split('?');
      if (next && !api.serves(path)) return next();
      if (incoming.readableDidRead)
        throw new StartError('the body of the request was read before Kerf: mount kerf.handle before body parsers');
      void answer(incoming, outgoing);
    },
    async close() {
      host.drain();
      api.end();
      await host.close();
    },
  };
}
