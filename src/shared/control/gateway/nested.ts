import type { MiddlewareHandler, Next } from 'hono';

/**
 * Combines several handlers into one; each handler is the `next` of the previous one. Hono creates promises for each handler that
 * it gets: with five handlers they take a tenth of the request time. Each handler must return the result of `next`, which may be
 * the answer.
 */
export function nested(...handlers: readonly MiddlewareHandler[]): MiddlewareHandler {
  return (c, next) => handlers.reduceRight<Next>((inner, each) => () => each(c, inner) as Promise<void>, next)();
}
