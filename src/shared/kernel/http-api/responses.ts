import type { Context } from 'hono';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import type { Preconditions } from '../contract/index.ts';
import type { Endpoint, HttpAnswer } from './endpoint.ts';
import { checkPreconditions, isKnown, tagOf } from './preconditions.ts';
import { bytesOf, isStream } from './streams.ts';

/** Adds the `ETag`. Answers a `GET` with 304 when its client has the state already. Clients may keep it, and ask each time. */
export function tagged(given: HttpAnswer, { method }: Endpoint, preconditions: Preconditions): HttpAnswer {
  const { status, body } = given;
  if (status === 204 || status >= 300) return given;
  const own = new Headers(given.headers);
  const etag = own.get('etag') ?? tagOf(body);
  const headers = { 'cache-control': 'private, no-cache', ...Object.fromEntries(own), etag };
  if (method !== 'get') return { status, body, headers };
  const { ifMatch, ifNoneMatch } = preconditions;
  if (ifMatch) checkPreconditions({ ifMatch }, etag);
  return ifNoneMatch && isKnown(ifNoneMatch, etag) ? { status: 304, body: null, headers } : { status, body, headers };
}

/** Returns the response: JSON, the bytes of a `Uint8Array`, or the stream of an endpoint with `download`. */
export function respond(c: Context, { status, body, headers }: HttpAnswer, { download }: Endpoint): Response {
  if (status === 204 || status === 304) return c.body(null, status, headers);
  if (download && isStream(body)) {
    const stream = bytesOf(body);
    const type = { 'content-type': download.contentType, ...headers };
    if (c.req.raw.method !== 'HEAD') return c.body(stream, status as ContentfulStatusCode, type);
    // Hono answers HEAD by the handler for GET, and would not read the stream.
    void stream.cancel();
    return c.body(null, status as ContentfulStatusCode, type);
  }
  if (body instanceof Uint8Array)
    return c.body(body as Uint8Array<ArrayBuffer>, status as ContentfulStatusCode, {
      'content-type': 'application/octet-stream',
      ...headers,
    });
  return c.json(body as object, status as ContentfulStatusCode, headers);
}
