import type { MiddlewareHandler } from 'hono';
import type { Logs } from '../logs/index.ts';
import { currentSession } from './request-context.ts';

/** Logs each answered request at the level `debug`, in the context of the request. */
export function requestLog(logs: Pick<Logs, 'of' | 'writes'>): MiddlewareHandler {
  const log = logs.of('gateway');
  const answered: MiddlewareHandler = async (c, next) => {
    const startedAt = performance.now();
    const response: unknown = await next();
    const { status } = response instanceof Response ? response : c.res;
    const { method, path } = c.req;
    const apiKey = currentSession()?.apiKey;
    const ms = Math.round(performance.now() - startedAt);
    log.debug({ method, path, status, ms, ...(apiKey && { key: apiKey }) }, 'a request was answered');
    return response as Response;
  };
  return (c, next) => (logs.writes('gateway', 'debug') ? answered(c, next) : next());
}
