import { type Context, Hono } from 'hono';
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

export interface HttpAnswer {
  readonly status: number;
  readonly body: unknown;
  readonly headers?: Record<string, string>;
}

export function answer(status: number, body: unknown, headers?: Record<string, string>): HttpAnswer {
  return { status, body, headers };
}

type Handler<E extends Endpoint> = (request: Request<E>) => Promise<HttpAnswer>;

/** An endpoint and the handler that answers it. `serve` throws every fault that is no refusal, so that its caller can log it. */
export interface ServedEndpoint extends Endpoint {
  serve(c: Context): Promise<Response>;
}

/** The public resources of one module, or of one composition: its endpoints, and a Hono app that serves them alone. */
export class Resources {
  readonly app = new Hono();
  readonly endpoints: ServedEndpoint[] = [];
  readonly tag: string;
  readonly contract?: Contract;

  /** `contract` tells the reference what the declared refusals look like. */
  constructor(tag: string, contract?: Contract) {
    this.tag = tag;
    this.contract = contract;
    this.app.onError((error) => {
      throw error;
    });
    this.app.notFound(() => problemResponse(refusal('not-found')));
  }

  add<const E extends Endpoint>(endpoint: E, handle: Handler<E>): this {
    const serve = async (c: Context) => {
      try {
        return respond(c, await handle(await requestOf(c, endpoint)));
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

async function requestOf<E extends Endpoint>({ req }: Context, endpoint: E): Promise<Request<E>> {
  const { params, query, headers, body } = endpoint;
  const member = currentContext()?.member ?? '';
  if (endpoint.member && !member) throw refusal('unauthenticated', 'sign in and send the token');
  return {
    params:
      params &&
      parseInput(
        params,
        fromText(params, (name) => req.param(name)),
      ),
    query: query && parseInput(query, fromQuery(query, req.queries())),
    headers:
      headers &&
      parseInput(
        headers,
        fromText(headers, (name) => req.header(name)),
      ),
    body: body && parseInput(body, await readJson(req.raw)),
    member,
  } as unknown as Request<E>;
}

function respond(c: Context, { status, body, headers }: HttpAnswer): Response {
  if (status === 204) return c.body(null, 204, headers);
  return c.json(body as object, status as ContentfulStatusCode, headers);
}
