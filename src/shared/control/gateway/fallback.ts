import { Agent, type IncomingMessage, type RequestOptions, request, type ServerResponse } from 'node:http';
import { Agent as TlsAgent, request as tlsRequest } from 'node:https';
import { pipeline } from 'node:stream/promises';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import type { MiddlewareHandler } from 'hono';
import { type Clock, currentContext, steadyClock } from '../../kernel/context/index.ts';
import { isRefusal, refusal } from '../../kernel/errors/index.ts';
import { problemResponse } from '../../kernel/http-api/index.ts';
import { FailureLog, type Log, toTraceFields } from '../../kernel/telemetry/index.ts';
import { peerIsTrusted, type TrustedProxies } from '../http-server/index.ts';
import { ofConnection } from './passing-on.ts';

export interface FallbackOptions {
  /** The address of the existing application: `http://127.0.0.1:4000`. */
  readonly url: string;
  /** How long the application may take from the end of the request to the beginning of its answer. */
  readonly timeoutMs: number;
  readonly proxies: TrustedProxies;
  /** Tells whether a resource of this system has the path. */
  readonly serves: (path: string) => boolean;
  readonly log: Log;
  readonly clock?: Clock;
}

/**
 * Passes each request whose path no resource has to an existing application, and the answer back. Streams both bodies. The application
 * gets the client's own headers, with the client's address added to `X-Forwarded-For`. Its answer gets none of the gateway's default
 * headers. When the client disconnects, the request to the application ends.
 */
export function fallback(options: FallbackOptions): MiddlewareHandler {
  const { url, proxies, serves, log } = options;
  const { protocol, hostname, port, origin } = new URL(url);
  const isTls = protocol === 'https:';
  const agent = new (isTls ? TlsAgent : Agent)({ keepAlive: true, maxFreeSockets: 64 });
  const failures = new FailureLog(log, steadyClock);
  const target = { protocol, hostname: hostname.replace(/^\[|\]$/g, ''), port, agent, setHost: false };
  const send = (options: RequestOptions) => (isTls ? tlsRequest : request)({ ...target, ...options });
  return async (c, next) => {
    if (serves(c.req.path)) return next();
    const { incoming, outgoing } = c.env as { incoming: IncomingMessage; outgoing: ServerResponse };
    const headers = requestHeaders(incoming, peerIsTrusted(incoming.socket.remoteAddress, proxies));
    try {
      const begin = () => send({ method: incoming.method!, path: pathOf(incoming), headers });
      const response = await answerTo(incoming, outgoing, begin, options);
      for (const name of outgoing.getHeaderNames()) if (name !== 'x-request-id') outgoing.removeHeader(name);
      // Hono makes a new answer for HEAD, so that it does not know that this one is sent.
      if (incoming.method === 'HEAD') return headOf(response);
      outgoing.writeHead(response.statusCode!, response.statusMessage, endToEnd(response));
      await pipeline(response, outgoing);
    } catch (error) {
      if (!outgoing.headersSent && !outgoing.destroyed) {
        failures.add({ message: 'the existing application gave no answer', error, fields: { address: origin } });
        return problemResponse(
          isRefusal(error) ? error : refusal('unavailable', 'the application behind this address'),
        );
      }
      // The client has a part of the answer, or has gone: only the end of the connection can tell it.
      outgoing.destroy();
    }
    return RESPONSE_ALREADY_SENT;
  };
}

/** Sends a request and its body. Resolves with the answer when that begins; rejects when none begins in time, or the client goes. */
function answerTo(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  begin: () => ReturnType<typeof request>,
  options: Pick<FallbackOptions, 'timeoutMs' | 'clock'>,
): Promise<IncomingMessage> {
  const { timeoutMs, clock = steadyClock } = options;
  return new Promise((resolve, reject) => {
    const sent = begin();
    let stopWaiting = () => {};
    const late = () => sent.destroy(refusal('timeout', 'the application behind this address'));
    const wait = () => {
      stopWaiting = clock.after(timeoutMs, late);
    };
    sent.once('finish', wait);
    outgoing.once('close', () => sent.destroy());
    sent.once('response', (response) => {
      sent.off('finish', wait);
      stopWaiting();
      resolve(response);
    });
    sent.once('error', (error) => {
      stopWaiting();
      const isStale = sent.reusedSocket && (error as NodeJS.ErrnoException).code === 'ECONNRESET';
      // The application closed an idle connection at this moment: nothing of the request was read.
      if (isStale && !hasBody(incoming)) resolve(answerTo(incoming, outgoing, begin, options));
      else reject(error);
    });
    if (hasBody(incoming)) pipeline(incoming, sent).catch((error) => sent.destroy(error));
    else sent.end();
  });
}

function headOf(response: IncomingMessage): Response {
  const [headers, list] = [new Headers(), endToEnd(response.resume())];
  for (let at = 0; at < list.length; at += 2) headers.append(list[at]!, list[at + 1]!);
  return new Response(null, { status: response.statusCode!, headers });
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

/** Returns path and query of a request, also of one that names the whole address. */
function pathOf({ url = '/' }: IncomingMessage): string {
  return url.startsWith('/') || url === '*' ? url : url.replace(/^[a-z][a-z\d+.-]*:\/\/[^/?#]*/i, '') || '/';
}

/** `isTrusted`: whether the peer is a trusted proxy, so that the application may believe its forwarding headers. */
function requestHeaders(incoming: IncomingMessage, isTrusted: boolean): string[] {
  const forged = isTrusted ? ['x-forwarded-for'] : forwardingHeaders;
  const kept = endToEnd(incoming, [...forged, 'x-request-id', 'traceparent', 'tracestate']);
  const before = isTrusted ? incoming.headers['x-forwarded-for'] : undefined;
  const address = incoming.socket.remoteAddress ?? 'unknown';
  const context = currentContext();
  const own = {
    'x-forwarded-for': [before, address].filter(Boolean).join(', '),
    ...(!isTrusted && { 'x-forwarded-proto': 'http', 'x-forwarded-host': incoming.headers.host ?? '' }),
    'x-request-id': context?.requestId ?? '',
    ...toTraceFields(context?.trace),
    ...(incoming.headers['transfer-encoding'] !== undefined && { 'transfer-encoding': 'chunked' }),
  };
  return [...kept, ...Object.entries(own).flat()];
}

const forwardingHeaders = ['forwarded', 'x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-host', 'x-real-ip'];

/** Returns the headers that are not of one connection, as names and values in turn, repeated ones included. */
function endToEnd({ headers, rawHeaders }: IncomingMessage, also: readonly string[] = []): string[] {
  const named = headers.connection?.split(',').map((name) => name.trim().toLowerCase()) ?? [];
  const dropped = new Set([...ofConnection, ...named, ...also]);
  const found: string[] = [];
  for (let at = 0; at < rawHeaders.length; at += 2)
    if (!dropped.has(rawHeaders[at]!.toLowerCase())) found.push(rawHeaders[at]!, rawHeaders[at + 1]!);
  return found;
}
