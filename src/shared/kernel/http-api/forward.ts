import type { Context } from 'hono';
import { ofKernel, type PassedBack } from '../calls/index.ts';
import { currentContext } from '../context/index.ts';
import { textOf } from './body.ts';
import { problemResponse } from './problem-response.ts';
import type { ServedEndpoint } from './resources.ts';
import type { System } from './system.ts';

/** Headers that belong to one connection, or that only the gateway may set. */
const dropped = new Set([
  ...['connection', 'keep-alive', 'transfer-encoding', 'content-length', 'upgrade', 'host', 'expect', 'te', 'trailer'],
  'authorization',
  // The context's: as the gateway read them, or not at all.
  ...['x-request-id', 'traceparent', 'tracestate'],
  // Of a client's address a module needs nothing, and anybody may have written these.
  ...['forwarded', 'x-real-ip', 'x-client-ip', 'true-client-ip', 'via'],
]);

const keyHeader = 'idempotency-key';

/** Answers a request to one of the endpoints. */
export type ServeEndpoint = (c: Context, endpoint: ServedEndpoint) => Promise<Response>;

/** Serves a module's public resources where the module runs: by a call here, by passing the request on elsewhere. */
export function forwardTo(module: string, system: System): ServeEndpoint {
  const read = system.calls(ofKernel('read', module), 'gateway');
  const write = system.calls(ofKernel('write', module), 'gateway');
  return async (c, endpoint) => {
    const at = system.directory.routeTo(module);
    // Other replicas that are tried out get their part of the requests, too.
    if (at.state === 'here' && !at.trial) return endpoint.serve(c);
    const { method, headers } = endpoint;
    const request = c.req.raw;
    const { pathname, search } = new URL(request.url);
    const reads = method === 'get';
    const body = reads ? '' : await textOf(request).catch(problemResponse);
    if (typeof body !== 'string') return body;
    const passedOn = {
      // Of the endpoint: one that is asked for its head only is asked as if for all.
      method: method.toUpperCase(),
      path: `${pathname}${search}`,
      headers: kept(request.headers),
      // Read whole, which the limit on its size allows: the other side may refuse it before it has all arrived.
      body,
    };
    const options = {
      timeoutMs: currentContext()!.deadline - Date.now(),
      // What its sender may repeat may be repeated on its way as well: where the endpoint says that it is then done once.
      idempotencyKey: (headers && keyHeader in headers.shape && request.headers.get(keyHeader)) || undefined,
    };
    try {
      const back = await (reads ? read : write)(passedOn, options);
      const { status, headers, body } = back as PassedBack;
      return new Response(status === 204 ? null : body, { status, headers: kept(new Headers(headers)) });
    } catch (error) {
      return problemResponse(error);
    }
  };
}

function kept(headers: Headers): Record<string, string> {
  return Object.fromEntries([...headers].filter(([name]) => !dropped.has(name) && !name.startsWith('x-forwarded-')));
}
