import type { MiddlewareHandler } from 'hono';
import { refusal } from '../errors/index.ts';
import { problemResponse } from '../routes/index.ts';

/** A body that is too large is read to here and thrown away, so that its sender gets to hear the answer. */
const patienceBytes = 16 * 1024 * 1024;

/**
 * Refuses a body over `maximumBytes`. One whose length is announced is not touched: a stream made of it and never read
 * would keep the server from emptying the connection, and the client's next request there would fail.
 */
export function bodyLimit(maximumBytes: number): MiddlewareHandler {
  const tooLarge = () => problemResponse(refusal('body-too-large', `at most ${maximumBytes / 1024 / 1024} MiB`));
  return async (c, next) => {
    if (c.req.header('transfer-encoding') === undefined) {
      return Number(c.req.header('content-length') ?? 0) > maximumBytes ? tooLarge() : next();
    }
    const body = await gather(c.req.raw.body, maximumBytes);
    if (body === undefined) return tooLarge();
    if (body.length > 0) c.req.raw = new Request(c.req.raw, { body });
    return next();
  };
}

/** The whole body, or `undefined` when it is larger than `maximumBytes`. */
async function gather(body: ReadableStream<Uint8Array> | null, maximumBytes: number): Promise<Buffer | undefined> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body ?? []) {
    bytes += chunk.length;
    if (bytes > patienceBytes) break;
    if (bytes <= maximumBytes) chunks.push(chunk);
  }
  return bytes > maximumBytes ? undefined : Buffer.concat(chunks);
}
