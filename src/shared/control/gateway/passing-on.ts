import type { Context } from 'hono';
import type { PassedBack } from '../../kernel/calls/index.ts';
import type { ServedEndpoint } from '../../kernel/http-api/index.ts';

/** Answers a request to one of the endpoints. */
export type ServeEndpoint = (c: Context, endpoint: ServedEndpoint) => Promise<Response>;

/** Headers that belong to one connection (RFC 9110, 7.6.1): the connections on both sides of the gateway have their own. */
export const ofConnection = [
  ...['connection', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'te', 'trailer', 'upgrade'],
  ...['proxy-authenticate', 'proxy-authorization', 'expect'],
];

/** Headers that belong to one connection, or that only the gateway may set. */
const dropped = new Set([
  ...ofConnection,
  ...['content-length', 'host', 'authorization'],
  // The call context carries these, as far as the gateway accepted them.
  ...['x-request-id', 'traceparent', 'tracestate', 'baggage'],
  // A module does not need the client's address, and any client can forge these headers.
  ...['forwarded', 'x-real-ip', 'x-client-ip', 'true-client-ip', 'via'],
]);

/** No answer with one of these statuses has a body. */
const withoutBody = new Set([204, 205, 304]);

/** Returns the answer of the other process, without the headers of its connection. */
export function fromPassedBack({ status, headers, body, encoding }: PassedBack): Response {
  const given = encoding === 'base64' ? Buffer.from(body, 'base64') : body;
  return new Response(withoutBody.has(status) ? null : given, { status, headers: kept(new Headers(headers)) });
}

/** Returns the headers that pass from one process to the other. */
export function kept(headers: Headers): Record<string, string> {
  return Object.fromEntries([...headers].filter(([name]) => !dropped.has(name) && !name.startsWith('x-forwarded-')));
}
