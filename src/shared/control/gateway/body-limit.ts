import type { MiddlewareHandler } from 'hono';
import { refusal } from '../../kernel/errors/index.ts';
import { problemResponse } from '../../kernel/http-api/index.ts';
import { ByteBuffer } from '../../kernel/http-listener/index.ts';
import { RequestsInFlight } from './rate-limit.ts';

/** The gateway reads and discards an oversized body up to this size: a client that is still sending does not read an answer. */
const patienceBytes = 16 * 1024 * 1024;
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
    const body = await unfinished.run(() => gather(c.req.raw.body, maximumBytes));
    if (body instanceof Response) return body;
    if (!body) return problemResponse(refusal('body-too-large', `at most ${maximumBytes / 1024 / 1024} MiB`));
    if (body.length > 0) c.req.raw = new Request(c.req.raw, { body });
    return next();
  };
}

/** Returns the whole body, or `undefined` when it is larger than `maximumBytes`. */
async function gather(body: ReadableStream<Uint8Array> | null, maximumBytes: number): Promise<Buffer | undefined> {
  const gathered = new ByteBuffer();
  let bytes = 0;
  for await (const chunk of body ?? []) {
    bytes += chunk.length;
    if (bytes > patienceBytes) break;
    if (bytes <= maximumBytes) gathered.add(chunk);
  }
  return bytes > maximumBytes ? undefined : gathered.take();
}
