import type { MiddlewareHandler, Next } from 'hono';

/**
 * One handler made of several, each the `next` of the one before. Hono makes promises of its own for each handler that it is given, which is a
 * tenth of a request where there are five. Each must return what its `next` returns: that may be the answer.
 */
export function nested(...handlers: readonly MiddlewareHandler[]): MiddlewareHandler {
  return (c, next) => handlers.reduceRight<Next>((inner, each) => () => each(c, inner) as Promise<void>, next)();
}
