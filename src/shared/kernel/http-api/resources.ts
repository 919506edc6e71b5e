import { type Context, Hono, type MiddlewareHandler } from 'hono';
import { HTTPException } from 'hono/http-exception';
import { currentContext, runInContext } from '../context/index.ts';
import type { Contract } from '../contract/index.ts';
import { isRefusal, refusal, StartError } from '../errors/index.ts';
import type { Details, Endpoint, EndpointHandler, ServedEndpoint } from './endpoint.ts';
import { problemResponse } from './problem-response.ts';
import { requestOf } from './requests.ts';
import { respond, tagged } from './responses.ts';

/** The public resources of one module or composition: its endpoints, and a Hono app that serves only these endpoints. */
export class Resources {
  readonly app = new Hono();
  readonly endpoints: ServedEndpoint[] = [];
  readonly tag: string;
  readonly contract?: Contract;
  readonly #middleware: MiddlewareHandler[] = [];

  /** `contract` gives the API reference the status and title of declared refusals. */
  constructor(tag: string, contract?: Contract) {
    this.tag = tag;
    this.contract = contract;
    this.app.onError((error) => {
      if (isRefusal(error)) return problemResponse(error);
      if (error instanceof HTTPException) return error.getResponse();
      throw error;
    });
    this.app.notFound(() => problemResponse(refusal('not-found')));
  }

  /**
   * Runs Hono's middleware around all endpoints that are added after this call, in the process of the module. It sees the request as the
   * gateway has passed it on: without the headers that belong to the gateway, such as `authorization`.
   */
  use(...middleware: readonly MiddlewareHandler[]): this {
    this.#middleware.push(...middleware);
    return this;
  }

  /** Adds an endpoint: `get('/orders/:id', 'Your order', { params: idParam, answers: { 200: order } }, async ({ params }) => …)`. */
  get<const E extends Details>(path: string, summary: string, details: E, handle: EndpointHandler<E>): this {
    return this.#add({ method: 'get', path, summary, ...details }, handle);
  }

  post<const E extends Details>(path: string, summary: string, details: E, handle: EndpointHandler<E>): this {
    return this.#add({ method: 'post', path, summary, ...details }, handle);
  }

  put<const E extends Details>(path: string, summary: string, details: E, handle: EndpointHandler<E>): this {
    return this.#add({ method: 'put', path, summary, ...details }, handle);
  }

  patch<const E extends Details>(path: string, summary: string, details: E, handle: EndpointHandler<E>): this {
    return this.#add({ method: 'patch', path, summary, ...details }, handle);
  }

  delete<const E extends Details>(path: string, summary: string, details: E, handle: EndpointHandler<E>): this {
    return this.#add({ method: 'delete', path, summary, ...details }, handle);
  }

  add<const E extends Endpoint>(endpoint: E, handle: EndpointHandler<E>): this {
    return this.#add(endpoint, handle);
  }

  #add<E extends Details>(endpoint: Endpoint, handle: EndpointHandler<E>): this {
    refuseUnservable(endpoint);
    const answerTo = async (c: Context) => {
      const request = await requestOf<E>(c, endpoint);
      const given = await handle(request);
      return respond(c, endpoint.etag ? tagged(given, endpoint, request.preconditions) : given, endpoint);
    };
    const serve = async (c: Context) => {
      try {
        return await withTime(endpoint, () => answerTo(c));
      } catch (error) {
        if (isRefusal(error)) return problemResponse(error);
        if (error instanceof HTTPException) return error.getResponse();
        throw error;
      }
    };
    const middleware = [...this.#middleware, ...(endpoint.use ?? [])];
    for (const each of [...middleware, serve]) this.app.on(endpoint.method.toUpperCase(), endpoint.path, each);
    // Middleware changes the answer through Hono's context, so it needs the dispatch of an application.
    const throughApp = async (c: Context) => this.app.fetch(c.req.raw, c.env);
    this.endpoints.push({ ...endpoint, serve: middleware.length > 0 ? throughApp : serve });
    return this;
  }
}

/** Gives the calls of a handler that streams as much time as its stream has. */
function withTime<T>({ upload, download }: Endpoint, task: () => Promise<T>): Promise<T> {
  const context = currentContext();
  const seconds = Math.max(upload?.seconds ?? 0, download?.seconds ?? 0);
  return seconds > 0 && context ? runInContext({ ...context, deadline: Date.now() + seconds * 1_000 }, task) : task();
}

/** The base64 of more would not fit into a call to another process. */
const maxRawBytes = 5 * 1024 * 1024;
/** The gateway cuts a request that takes longer to arrive. */
const maxUploadSeconds = 60;

function refuseUnservable({ method, path, body, raw, upload, etag, download }: Endpoint): void {
  const refuse = (why: string) => {
    throw new StartError(`${method.toUpperCase()} ${path}: ${why}`);
  };
  if ([body, raw, upload].filter(Boolean).length > 1) refuse('choose one of body, raw and upload');
  if (raw && !(raw.maxBytes > 0 && raw.maxBytes <= maxRawBytes)) refuse('the maxBytes of raw must be from 1 to 5 MiB');
  for (const { maxBytes, seconds } of [upload, download].filter((each) => each !== undefined))
    if (!(maxBytes > 0 && seconds > 0)) refuse('the maxBytes and seconds of a stream must be more than 0');
  if (upload && upload.seconds > maxUploadSeconds) refuse('an upload may take at most 60 seconds');
  if (upload && method === 'get') refuse('a GET has no body, so it takes no upload');
  if (etag && download) refuse('the ETag of a stream cannot be computed; put it into the headers of the answer');
}
