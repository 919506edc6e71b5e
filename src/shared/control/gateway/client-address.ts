import { AsyncLocalStorage } from 'node:async_hooks';
import type { IncomingMessage } from 'node:http';
import type { MiddlewareHandler } from 'hono';
import { clientAddress, type TrustedProxies } from '../http-server/index.ts';

const storage = new AsyncLocalStorage<string>();

/**
 * Returns the client address of the current request, or `unknown`. It is personal data: it stays in this process, and only log
 * lines about a refused client contain it.
 */
export function currentClient(): string {
  return storage.getStore() ?? 'unknown';
}

/** Determines the client address of each request, behind the trusted proxies. */
export function knowClient(proxies: TrustedProxies): MiddlewareHandler {
  return (c, next) => {
    const { incoming } = c.env as { incoming?: IncomingMessage };
    const headers = { forwarded: c.req.header('forwarded'), xForwardedFor: c.req.header('x-forwarded-for') };
    return storage.run(clientAddress(incoming?.socket.remoteAddress, headers, proxies), next);
  };
}
