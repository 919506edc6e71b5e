import { AsyncLocalStorage } from 'node:async_hooks';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { MiddlewareHandler } from 'hono';
import { bearer } from '../../kernel/calls/index.ts';
import { Cancellation, newId, runInContext } from '../../kernel/context/index.ts';
import type { Session } from '../../kernel/http-api/index.ts';
import type { SessionTokens } from '../identity/index.ts';
import { type EndedRequest, whenEnded } from './request-end.ts';
import { startRequestSpan } from './request-span.ts';

const idPattern = /^[\w-]{8,64}$/;

const session = new AsyncLocalStorage<Session | undefined>();

/** Returns the session of the current request. */
export function currentSession(): Session | undefined {
  return session.getStore();
}

/** Tells whether a request from this address continues the trace that it names. */
export type ContinuesTrace = (peer: string | undefined) => boolean;

/**
 * Gives each request its context: an id, a trace, a deadline, and the member when the token is valid. Cancels all work for the request
 * when the client disconnects before the answer.
 */
export function requestContext(
  sessions: SessionTokens,
  timeoutMs: number,
  continues: ContinuesTrace,
  ended?: (request: EndedRequest) => void,
): MiddlewareHandler {
  return async (c, next) => {
    const given = c.req.header('x-request-id');
    const requestId = given && idPattern.test(given) ? given : newId();
    const { incoming, outgoing } = c.env as { incoming?: IncomingMessage; outgoing?: ServerResponse };
    outgoing?.setHeader('x-request-id', requestId);
    const trace = startRequestSpan(c.req, continues(incoming?.socket.remoteAddress), outgoing);
    if (ended) whenEnded(outgoing, { method: c.req.method, trace }, ended);
    const token = bearer(c.req.header('authorization'));
    const known = token ? await sessions.verify(token) : undefined;
    const context = {
      requestId,
      ...(trace && { trace }),
      caller: 'gateway',
      member: known?.member,
      deadline: Date.now() + timeoutMs,
      cancellation: new Cancellation(),
    };
    outgoing?.once('close', () => outgoing.writableFinished || context.cancellation.cancel());
    return session.run(known, () => runInContext(context, next));
  };
}
