import { AsyncLocalStorage } from 'node:async_hooks';
import type { ServerResponse } from 'node:http';
import type { MiddlewareHandler } from 'hono';
import { bearer } from '../../kernel/calls/index.ts';
import { Cancellation, newId, runInContext } from '../../kernel/context/index.ts';
import type { Session } from '../../kernel/http-api/index.ts';
import type { SessionTokens } from '../identity/index.ts';

const idPattern = /^[\w-]{8,64}$/;
const tracePattern = /^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;

const session = new AsyncLocalStorage<Session | undefined>();

/** Returns the session of the current request. */
export function currentSession(): Session | undefined {
  return session.getStore();
}

/**
 * Gives each request its context: an id, a deadline, and the member when the token is valid. Cancels all work for the request
 * when the client disconnects before the answer.
 */
export function requestContext(sessions: SessionTokens, timeoutMs: number): MiddlewareHandler {
  return async (c, next) => {
    const given = c.req.header('x-request-id');
    const requestId = given && idPattern.test(given) ? given : newId();
    const traced = c.req.header('traceparent');
    const traceparent = traced && tracePattern.test(traced) ? traced : undefined;
    const { outgoing } = c.env as { outgoing?: ServerResponse };
    outgoing?.setHeader('x-request-id', requestId);
    if (traceparent) outgoing?.setHeader('traceresponse', traceparent);
    const token = bearer(c.req.header('authorization'));
    const known = token ? await sessions.verify(token) : undefined;
    const context = {
      requestId,
      traceparent,
      caller: 'gateway',
      member: known?.member,
      deadline: Date.now() + timeoutMs,
      cancellation: new Cancellation(),
    };
    outgoing?.once('close', () => outgoing.writableFinished || context.cancellation.cancel());
    return session.run(known, () => runInContext(context, next));
  };
}
