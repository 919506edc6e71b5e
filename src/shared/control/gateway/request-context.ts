import { AsyncLocalStorage } from 'node:async_hooks';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { MiddlewareHandler } from 'hono';
import { Cancellation, newId, runInContext } from '../../kernel/context/index.ts';
import type { Session } from '../../kernel/http-api/index.ts';
import { bearer } from '../../kernel/ports/index.ts';
import type { OpenSpan } from '../../kernel/telemetry/index.ts';
import { clientNetwork } from '../http-server/index.ts';
import type { Credentials } from '../identity/index.ts';
import type { EndedRequest } from './request-end.ts';
import { endRequestSpan, nameRequestSpan, startRequestSpan } from './request-span.ts';

const idPattern = /^[\w-]{8,64}$/;

/** The state of a request while the gateway answers it. */
interface RequestState {
  readonly method: string;
  readonly traced: OpenSpan | undefined;
  session?: Session | undefined;
  /** Absent until a resource serves the request. */
  route?: string;
}

const current = new AsyncLocalStorage<RequestState>();

/** Returns the session of the current request. */
export function currentSession(): Session | undefined {
  return current.getStore()?.session;
}

/** Returns whose requests count together: those of an API key, wherever they come from, or those of a client's network. */
export function limitedAs(client: string): string {
  const key = currentSession()?.apiKey;
  return key === undefined ? clientNetwork(client) : `API key ${key}`;
}

/** Records which resource serves the current request, such as `/products/{sku}`, for its span and its metrics. */
export function noteRoute(route: string): void {
  const request = current.getStore();
  if (!request) return;
  request.route = route;
  if (request.traced) nameRequestSpan(request.traced.span, request.method, route);
}

/** Tells whether a request from this address continues the trace that it names. */
export type ContinuesTrace = (peer: string | undefined) => boolean;

/**
 * Gives each request its context: an id, a trace, a deadline, and the member and the roles when the token is valid. Cancels all work for the request
 * when the client disconnects before the answer. Calls `ended` once, when the answer is sent or the client has gone.
 */
export function requestContext(
  credentials: Pick<Credentials, 'verify'>,
  timeoutMs: number,
  continues: ContinuesTrace,
  ended?: (request: EndedRequest) => void,
): MiddlewareHandler {
  return async (c, next) => {
    const startedAt = performance.now();
    const given = c.req.header('x-request-id');
    const requestId = given && idPattern.test(given) ? given : newId();
    const { incoming, outgoing } = c.env as { incoming?: IncomingMessage; outgoing?: ServerResponse };
    outgoing?.setHeader('x-request-id', requestId);
    const traced = startRequestSpan(c.req, continues(incoming?.socket.remoteAddress), outgoing);
    const [request, cancellation] = [{ method: c.req.method, traced } as RequestState, new Cancellation()];
    const trace = traced?.context;
    const end = (status: number | undefined) => {
      if (status === undefined) cancellation.cancel();
      if (traced) endRequestSpan(traced.span, status);
      ended?.({ method: request.method, route: request.route, status, ms: performance.now() - startedAt, trace });
    };
    outgoing?.once('close', () => end(outgoing.writableFinished ? outgoing.statusCode : undefined));
    const token = bearer(c.req.header('authorization'));
    if (token) request.session = await credentials.verify(token);
    const context = {
      requestId,
      ...(trace && { trace }),
      caller: 'gateway',
      member: request.session?.member,
      roles: request.session?.roles,
      deadline: Date.now() + timeoutMs,
      cancellation,
    };
    const answer = () => current.run(request, () => runInContext(context, next));
    if (outgoing) return answer();
    // An application that embeds this one calls it without a connection: the request ends with the answer's beginning.
    const { signal } = c.req.raw;
    signal.addEventListener('abort', () => end(undefined), { once: true });
    const answered: unknown = await answer();
    const response = answered instanceof Response ? answered : c.res;
    response.headers.set('x-request-id', requestId);
    if (!signal.aborted) end(response.status);
    return response;
  };
}
