import type { Context, MiddlewareHandler } from 'hono';
import type { z } from 'zod';
import type { Preconditions } from '../contract/index.ts';
import type { StreamLimits } from './streams.ts';

/** Describes a public REST endpoint as data. The router, the checks and the API reference use this description. */
export interface Endpoint {
  /** The gateway answers `HEAD` by the endpoint for `get`, and `OPTIONS` with the methods of the path. */
  readonly method: 'get' | 'post' | 'put' | 'patch' | 'delete';
  /** In Hono's notation: `/orders/:id`. */
  readonly path: string;
  /** One line, for the reference. */
  readonly summary: string;
  /** Requires a signed-in member. */
  readonly member?: boolean;
  /** Requires one of these roles, of a signed-in member or of an API key. */
  readonly roles?: readonly [string, ...string[]];
  readonly params?: z.ZodObject;
  readonly query?: z.ZodObject;
  /** With `idempotency-key` among them, the module performs requests with the same key only once. */
  readonly headers?: z.ZodObject;
  readonly body?: z.ZodType;
  /**
   * Gives the handler the bytes of the body as they came, with any content type and encoding: the signature of a webhook covers
   * them. At most 5 MiB.
   */
  readonly raw?: { readonly maxBytes: number };
  /** Gives the handler the body as a stream while it arrives. A slow handler slows its client down. At most 60 seconds. */
  readonly upload?: StreamLimits;
  /**
   * Lets the handler answer with a stream: a `ReadableStream`, or a generator. A slow client slows the handler down. An error in
   * the middle breaks the connection, so that no client takes a part for the whole.
   */
  readonly download?: StreamLimits & { readonly contentType: string };
  /** Body schema of each success status. A 204 has no body, even with a schema. */
  readonly answers: Readonly<Record<number, z.ZodType>>;
  /** Refusal codes of this endpoint, in addition to the codes of any request. */
  readonly refusals?: readonly string[];
  /**
   * Gives each answer with a body a strong `ETag`: the one of the handler, or a hash of the body. A `GET` whose client has that state
   * already is answered 304. The other methods check `preconditions` in their unit of work (`checkPreconditions`).
   */
  readonly etag?: boolean;
  /** Hono's middleware around this endpoint, inside the middleware of its `Resources`. */
  readonly use?: readonly MiddlewareHandler[];
  /** Uses much CPU time. The gateway limits such requests in flight for each client. */
  readonly costly?: boolean;
}

/** An endpoint without what `get`, `post` and the other methods take by themselves. */
export type Details = Omit<Endpoint, 'method' | 'path' | 'summary'>;

type Parsed<S> = S extends z.ZodType ? z.output<S> : undefined;

/** Input of a handler: the parts of the request, parsed by their schemas. */
export interface Request<E extends Partial<Endpoint>> {
  readonly params: Parsed<E['params']>;
  readonly query: Parsed<E['query']>;
  readonly headers: Parsed<E['headers']>;
  readonly body: E extends { readonly raw: object }
    ? Uint8Array<ArrayBuffer>
    : E extends { readonly upload: object }
      ? ReadableStream<Uint8Array>
      : Parsed<E['body']>;
  /** Returns what a middleware has set: `c.set('tenant', …)`. */
  readonly get: (name: string) => unknown;
  /** Aborts when nobody waits for the answer any more. */
  readonly signal: AbortSignal;
  /** From `If-Match` and `If-None-Match`, for an endpoint with `etag`; empty otherwise. */
  readonly preconditions: Preconditions;
  /** Id of the signed-in member; an empty string for a request without a session. */
  readonly member: string;
}

export interface HttpAnswer {
  readonly status: number;
  readonly body: unknown;
  readonly headers?: Record<string, string>;
}

export function answer(status: number, body: unknown, headers?: Record<string, string>): HttpAnswer {
  return { status, body, headers };
}

export type EndpointHandler<E extends Partial<Endpoint>> = (request: Request<E>) => Promise<HttpAnswer>;

/** An endpoint and its handler. `serve` throws every error that is no refusal, so that its caller can log it. */
export interface ServedEndpoint extends Endpoint {
  serve(c: Context): Promise<Response>;
}
