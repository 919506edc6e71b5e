import { Hono } from 'hono';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import type { z } from 'zod';
import { currentContext } from '../context/index.ts';
import { type Contract, parseInput } from '../contract/index.ts';
import { isRefusal, refusal } from '../errors/index.ts';
import { readJson } from './body.ts';
import { fromQuery, fromText } from './lists.ts';
import { problemResponse } from './problem-response.ts';

/** A public REST endpoint as data: what the router, the checks and the API reference are made from. */
export interface Endpoint {
  readonly method: 'get' | 'post' | 'delete';
  /** In Hono's form: `/orders/:id`. */
  readonly path: string;
  /** One line, for the reference. */
  readonly about: string;
  /** Only for a signed-in member. */
  readonly member?: boolean;
  readonly params?: z.ZodObject;
  readonly query?: z.ZodObject;
  /** `idempotency-key` among them: sent again with the same one, a request is done once. */
  readonly headers?: z.ZodObject;
  readonly body?: z.ZodType;
  /** The schema of the body for each status of success; 204 has none, whatever the schema says. */
  readonly answers: Readonly<Record<number, z.ZodType>>;
  /** Codes it refuses with, beyond those any request may meet. */
  readonly refusals?: readonly string[];
  /** Takes much time of a processor: one client has few of these in flight. */
  readonly costly?: boolean;
}

type Parsed<S> = S extends z.ZodType ? z.output<S> : undefined;

/** What a handler gets: the parts of the request, through their schemas. */
export interface Request<E extends Partial<Endpoint>> {
  readonly params: Parsed<E['params']>;
  readonly query: Parsed<E['query']>;
  readonly headers: Parsed<E['headers']>;
  readonly body: Parsed<E['body']>;
  /** The signed-in member's id; the empty string where `member` is not asked for. */
  readonly member: string;
}

export interface Answer {
  readonly status: number;
  readonly body: unknown;
  readonly headers?: Record<string, string>;
}

export function answer(status: number, body: unknown, headers?: Record<string, string>): Answer {
  return { status, body, headers };
}

type Handler<E extends Endpoint> = (request: Request<E>) => Promise<Answer>;

/**
 * The public resources of one module, or of one composition: a Hono app and the endpoints it was made of. A fault that is no
 * refusal is thrown to whoever serves it, who has a log.
 */
export class Resources {
  readonly app = new Hono();
  readonly endpoints: Endpoint[] = [];

  /** `contract` tells the reference what the declared refusals look like. */
  constructor(
    readonly tag: string,
    readonly contract?: Contract,
  ) {
    this.app.onError((error) => {
      if (isRefusal(error)) return problemResponse(error);
      throw error;
    });
    this.app.notFound(() => problemResponse(refusal('not-found')));
  }

  add<const E extends Endpoint>(endpoint: E, handle: Handler<E>): this {
    this.endpoints.push(endpoint);
    this.app.on(endpoint.method.toUpperCase(), endpoint.path, async (c) => {
      const member = currentContext()?.member ?? '';
      if (endpoint.member && !member) throw refusal('unauthenticated', 'sign in and send the token');
      const request = {
        params: endpoint.params && parseInput(endpoint.params, fromText(endpoint.params, c.req.param())),
        query: endpoint.query && parseInput(endpoint.query, fromQuery(endpoint.query, c.req.queries())),
        headers: endpoint.headers && parseInput(endpoint.headers, fromText(endpoint.headers, c.req.header())),
        body: endpoint.body && parseInput(endpoint.body, await readJson(c.req.raw)),
        member,
      };
      const { status, body, headers } = await handle(request as unknown as Request<E>);
      if (status === 204) return c.body(null, 204, headers);
      return c.json(body as object, status as ContentfulStatusCode, headers);
    });
    return this;
  }
}
