import type { MiddlewareHandler } from 'hono';
import { refusal } from '../../kernel/errors/index.ts';
import { problemResponse } from '../../kernel/http-api/index.ts';
import { gatherBody } from '../../kernel/http-listener/index.ts';
import { RequestsInFlight } from './rate-limit.ts';

/** Maximum incomplete bodies of one client in memory. */
const maxUnfinished = 64;

/**
 * Refuses a body over `maximumBytes`. Also refuses a body that must be read here while `most` bodies of the same client are
 * incomplete. Leaves a body alone when its `content-length` fits: an unread stream of it would keep the server from draining the
 * connection, and the next request there would fail.
 */
export function bodyLimit(maximumBytes: number, most = maxUnfinished): MiddlewareHandler {
  const unfinished = new RequestsInFlight(most);
  return async (c, next) => {
    const inChunks = c.req.header('transfer-encoding') !== undefined;
    if (!inChunks && Number(c.req.header('content-length') ?? 0) <= maximumBytes) return next();
    const body = await unfinished.run(() => gatherBody(c.req.raw.body, maximumBytes));
    if (body instanceof Response) return body;
    if (!body) return problemResponse(refusal('body-too-large', `at most ${maximumBytes / 1024 / 1024} MiB`));
    if (body.length > 0) c.req.raw = new Request(c.req.raw, { body });
    return next();
  };
}
