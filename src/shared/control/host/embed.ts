import type { IncomingMessage, ServerResponse } from 'node:http';
import { getRequestListener } from '@hono/node-server';
import { StartError } from '../../kernel/errors/index.ts';
import { Adapters } from '../adapter-list/index.ts';
import { createGateway, headersOfAll } from '../gateway/index.ts';
import { readTopology } from '../topology/index.ts';
import { openHost } from './host.ts';
import { type ProductDefinition, run } from './product.ts';

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
  handle(incoming: IncomingMessage, outgoing: ServerResponse, next?: (error?: Error) => void): void;
  /** Finishes the work in flight, stops the module processes, and closes the data. */
  close(): Promise<void>;
}

/** Runs what the command line asks of this program instead of the application. */
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
  const { modules, compositions, adapters, control } = product;
  const topology = readTopology(modules, undefined, env, new Adapters(adapters));
  if (topology.settings.FALLBACK_URL !== undefined)
    throw new StartError(
      'FALLBACK_URL is for a Kerf of its own: inside an application, the application answers the other paths; remove the setting',
    );
  const host = await openHost(topology, modules, control);
  const api = createGateway(host, compositions);
  api.open();
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
      if (!incoming.readableDidRead) return void answer(incoming, outgoing);
      const error = new Error('the body of the request was read before Kerf: mount kerf.handle before body parsers');
      if (!next) throw error;
      next(error);
    },
    async close() {
      host.drain();
      api.close();
      await host.close();
    },
  };
}
