import { AsyncLocalStorage } from 'node:async_hooks';
import type { IncomingMessage } from 'node:http';
import type { MiddlewareHandler } from 'hono';
import { clientAddress, type TrustedProxies } from './proxies.ts';

const storage = new AsyncLocalStorage<string>();

/**
 * The address of the client whose request is served; `unknown` where there is none. It is personal data: it stays in this process,
 * and only lines about a client that was refused log it.
 */
export function currentClient(): string {
  return storage.getStore() ?? 'unknown';
}

/** Finds out the address of each request's client, behind the proxies that are trusted. */
export function knowClient(proxies: TrustedProxies): MiddlewareHandler {
  return (c, next) => {
    const { incoming } = c.env as { incoming?: IncomingMessage };
    const headers = { forwarded: c.req.header('forwarded'), xForwardedFor: c.req.header('x-forwarded-for') };
    return storage.run(clientAddress(incoming?.socket.remoteAddress, headers, proxies), next);
  };
}
