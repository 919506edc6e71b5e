import type { MiddlewareHandler } from 'hono';
import { cors } from 'hono/cors';
import { refusal } from '../../kernel/errors/index.ts';
import { problemResponse } from '../../kernel/http-api/index.ts';

export interface CorsSettings {
  readonly CORS_ORIGINS?: readonly string[] | undefined;
  readonly CORS_CREDENTIALS: boolean;
  readonly CORS_EXPOSED_HEADERS: readonly string[];
  readonly CORS_MAX_AGE_S: number;
}

/**
 * Lets browsers show answers to front ends of the listed origins, and answers their preflight requests. Returns `undefined` without
 * `CORS_ORIGINS`. Mount it before authentication and limits: a preflight request carries no credentials.
 */
export function crossOrigin(settings: CorsSettings): MiddlewareHandler | undefined {
  const { CORS_ORIGINS: origins, CORS_CREDENTIALS, CORS_EXPOSED_HEADERS, CORS_MAX_AGE_S } = settings;
  if (!origins) return undefined;
  const isAll = origins.includes('*');
  const listed = cors({
    origin: isAll ? '*' : [...origins],
    credentials: CORS_CREDENTIALS,
    allowMethods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
    exposeHeaders: [...CORS_EXPOSED_HEADERS],
    maxAge: CORS_MAX_AGE_S,
  });
  return async (c, next) => {
    const origin = c.req.header('origin');
    const isOptions = c.req.method === 'OPTIONS';
    const isPreflight =
      isOptions && origin !== undefined && c.req.header('access-control-request-method') !== undefined;
    const isListed = origin !== undefined && (isAll || origins.includes(origin));
    // Hono takes every OPTIONS for a preflight request. Any other one asks for the methods of a path.
    if (isListed && (isPreflight || !isOptions)) return listed(c, next);
    if (isPreflight) return problemResponse(refusal('forbidden', notListed(origin)), { vary: 'Origin' });
    await next();
    // A cache must not give this answer to a page of a listed origin.
    if (!isAll) c.header('vary', 'Origin', { append: true });
    return undefined;
  };
}

function notListed(origin: string): string {
  return `pages of ${origin} may not call this service; its operator can add the origin to CORS_ORIGINS`;
}
