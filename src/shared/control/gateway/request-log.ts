import type { MiddlewareHandler } from 'hono';
import type { Logs } from '../logs/index.ts';

/** Logs each answered request at the level `debug`, in the context of the request. */
export function requestLog(logs: Pick<Logs, 'of' | 'writes'>): MiddlewareHandler {
  const log = logs.of('gateway');
  const answered: MiddlewareHandler = async (c, next) => {
    const startedAt = performance.now();
    const response: unknown = await next();
    const { status } = response instanceof Response ? response : c.res;
    const { method, path } = c.req;
    log.debug({ method, path, status, ms: Math.round(performance.now() - startedAt) }, 'a request was answered');
    return response as Response;
  };
  return (c, next) => (logs.writes('gateway', 'debug') ? answered(c, next) : next());
}
