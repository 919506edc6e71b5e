import type { Context } from 'hono';
import { ofKernel, type PassedBack, type PassedOn } from '../../kernel/calls/index.ts';
import { currentContext } from '../../kernel/context/index.ts';
import { problemResponse, type ServedEndpoint, textOf } from '../../kernel/http-api/index.ts';
import type { System } from './system.ts';

/** Headers that belong to one connection, or that only the gateway may set. */
const dropped = new Set([
  ...['connection', 'keep-alive', 'transfer-encoding', 'content-length', 'upgrade', 'host', 'expect', 'te', 'trailer'],
  'authorization',
  // The call context carries these, as far as the gateway accepted them.
  ...['x-request-id', 'traceparent', 'tracestate', 'baggage'],
  // A module does not need the client's address, and any client can forge these headers.
  ...['forwarded', 'x-real-ip', 'x-client-ip', 'true-client-ip', 'via'],
]);

/** No answer with one of these statuses has a body. */
const withoutBody = new Set([204, 205, 304]);

const keyHeader = 'idempotency-key';

/** Answers a request to one of the endpoints. */
export type ServeEndpoint = (c: Context, endpoint: ServedEndpoint) => Promise<Response>;

/** Serves a module's public resources: directly when the module runs in this process, otherwise by forwarding the request. */
export function forwardTo(module: string, system: System): ServeEndpoint {
  const read = system.calls(ofKernel('read', module), 'gateway');
  const write = system.calls(ofKernel('write', module), 'gateway');
  return async (c, endpoint) => {
    const at = system.directory.routeTo(module);
    // During a detour, other replicas get their share of the requests.
    if (at.state === 'here' && !at.detour) return endpoint.serve(c);
    const { method, headers } = endpoint;
    const request = c.req.raw;
    const { pathname, search } = new URL(request.url);
    const reads = method === 'get';
    const body = reads ? { body: '' } : await bodyOf(request, endpoint).catch(problemResponse);
    if (body instanceof Response) return body;
    const passedOn = {
      // Uses the endpoint's method: a HEAD request is forwarded as a GET.
      method: method.toUpperCase(),
      path: `${pathname}${search}`,
      headers: kept(request.headers),
      ...body,
    };
    const options = {
      timeoutMs: currentContext()!.deadline - Date.now(),
      // When the endpoint declares an idempotency key, the gateway may retry the request, as the client may.
      idempotencyKey: (headers && keyHeader in headers.shape && request.headers.get(keyHeader)) || undefined,
    };
    try {
      const back = await (reads ? read : write)(passedOn, options);
      return answerOf(back as PassedBack);
    } catch (error) {
      return problemResponse(error);
    }
  };
}

/** Reads the whole body, which is limited in size: the other process may refuse it before it has all arrived. */
async function bodyOf(request: Request, { raw }: ServedEndpoint): Promise<Pick<PassedOn, 'body' | 'encoding'>> {
  if (!raw) return { body: await textOf(request) };
  return { body: Buffer.from(await request.arrayBuffer()).toString('base64'), encoding: 'base64' };
}

/** Returns the answer of the other process, without the headers of its connection. */
export function answerOf({ status, headers, body, encoding }: PassedBack): Response {
  const given = encoding === 'base64' ? Buffer.from(body, 'base64') : body;
  return new Response(withoutBody.has(status) ? null : given, { status, headers: kept(new Headers(headers)) });
}

export function kept(headers: Headers): Record<string, string> {
  return Object.fromEntries([...headers].filter(([name]) => !dropped.has(name) && !name.startsWith('x-forwarded-')));
}
