import type { MiddlewareHandler } from 'hono';
import { refusal } from '../../kernel/errors/index.ts';
import { problemResponse } from '../../kernel/http-api/index.ts';
import { gatherBody } from '../../kernel/http-listener/index.ts';
import { RequestsInFlight } from './rate-limit.ts';

/** Maximum incomplete bodies of one client in memory. */
const maxUnfinished = 64;

/** Counts the incomplete bodies of each client. All limits of a gateway share it. */
export function unfinishedBodies(most = maxUnfinished): RequestsInFlight {
  return new RequestsInFlight(most);
}

/**
 * Refuses a body over `maximumBytes`. Also refuses a body that must be read here while too many bodies of the same client are
 * incomplete. Leaves a body alone when its `content-length` fits: an unread stream of it would keep the server from draining the
 * connection, and the next request there would fail.
 */
export function bodyLimit(maximumBytes: number, unfinished: RequestsInFlight): MiddlewareHandler {
  return async (c, next) => {
    const inChunks = c.req.header('transfer-encoding') !== undefined;
    if (!inChunks && Number(c.req.header('content-length') ?? 0) <= maximumBytes) return next();
    const body = await unfinished.run(() => gatherBody(c.req.raw.body, maximumBytes));
    if (body instanceof Response) return body;
    if (!body) return problemResponse(refusal('body-too-large', `at most ${sizeText(maximumBytes)}`));
    if (body.length > 0) c.req.raw = new Request(c.req.raw, { body });
    return next();
  };
}

function sizeText(bytes: number): string {
  const mebibytes = bytes / 1024 / 1024;
  return Number.isInteger(mebibytes) ? `${mebibytes} MiB` : `${bytes} bytes`;
}
