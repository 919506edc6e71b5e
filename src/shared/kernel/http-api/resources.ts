import { type Context, Hono } from 'hono';
import type { z } from 'zod';
import type { Contract, Preconditions } from '../contract/index.ts';
import { isRefusal, refusal, StartError } from '../errors/index.ts';
import { problemResponse } from './problem-response.ts';
import { requestOf } from './requests.ts';
import { respond, tagged } from './responses.ts';

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
  /** Body schema of each success status. A 204 has no body, even with a schema. */
  readonly answers: Readonly<Record<number, z.ZodType>>;
  /** Refusal codes of this endpoint, in addition to the codes of any request. */
  readonly refusals?: readonly string[];
  /**
   * Gives each answer with a body a strong `ETag`: the one of the handler, or a hash of the body. A `GET` whose client has that state
   * already is answered 304. The other methods check `preconditions` in their unit of work (`checkPreconditions`).
   */
  readonly etag?: boolean;
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
  readonly body: E extends { readonly raw: object } ? Uint8Array<ArrayBuffer> : Parsed<E['body']>;
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

type Handler<E extends Partial<Endpoint>> = (request: Request<E>) => Promise<HttpAnswer>;

/** An endpoint and its handler. `serve` throws every error that is no refusal, so that its caller can log it. */
export interface ServedEndpoint extends Endpoint {
  serve(c: Context): Promise<Response>;
}

/** The public resources of one module or composition: its endpoints, and a Hono app that serves only these endpoints. */
export class Resources {
  readonly app = new Hono();
  readonly endpoints: ServedEndpoint[] = [];
  readonly tag: string;
  readonly contract?: Contract;

  /** `contract` gives the API reference the status and title of declared refusals. */
  constructor(tag: string, contract?: Contract) {
    this.tag = tag;
    this.contract = contract;
    this.app.onError((error) => {
      throw error;
    });
    this.app.notFound(() => problemResponse(refusal('not-found')));
  }

  /** Adds an endpoint: `get('/orders/:id', 'Your order', { params: idParam, answers: { 200: order } }, async ({ params }) => …)`. */
  get<const E extends Details>(path: string, summary: string, details: E, handle: Handler<E>): this {
    return this.#add({ method: 'get', path, summary, ...details }, handle);
  }

  post<const E extends Details>(path: string, summary: string, details: E, handle: Handler<E>): this {
    return this.#add({ method: 'post', path, summary, ...details }, handle);
  }

  put<const E extends Details>(path: string, summary: string, details: E, handle: Handler<E>): this {
    return this.#add({ method: 'put', path, summary, ...details }, handle);
  }

  patch<const E extends Details>(path: string, summary: string, details: E, handle: Handler<E>): this {
    return this.#add({ method: 'patch', path, summary, ...details }, handle);
  }

  delete<const E extends Details>(path: string, summary: string, details: E, handle: Handler<E>): this {
    return this.#add({ method: 'delete', path, summary, ...details }, handle);
  }

  add<const E extends Endpoint>(endpoint: E, handle: Handler<E>): this {
    return this.#add(endpoint, handle);
  }

  #add<E extends Details>(endpoint: Endpoint, handle: Handler<E>): this {
    refuseUnservable(endpoint);
    const serve = async (c: Context) => {
      try {
        const request = await requestOf<E>(c, endpoint);
        const given = await handle(request);
        return respond(c, endpoint.etag ? tagged(given, endpoint, request.preconditions) : given);
      } catch (error) {
        if (isRefusal(error)) return problemResponse(error);
        throw error;
      }
    };
    this.endpoints.push({ ...endpoint, serve });
    this.app.on(endpoint.method.toUpperCase(), endpoint.path, serve);
    return this;
  }
}

/** The base64 of more would not fit into a call to another process. */
const maxRawBytes = 5 * 1024 * 1024;

function refuseUnservable({ method, path, body, raw }: Endpoint): void {
  const refuse = (why: string) => {
    throw new StartError(`${method.toUpperCase()} ${path}: ${why}`);
  };
  if (raw && body) refuse('raw and body exclude each other; parse the bytes in the handler');
  if (raw && !(raw.maxBytes > 0 && raw.maxBytes <= maxRawBytes)) refuse('the maxBytes of raw must be from 1 to 5 MiB');
}
