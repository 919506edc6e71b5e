import { isUtf8 } from 'node:buffer';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { MiddlewareHandler } from 'hono';
import { newId } from '../../kernel/context/index.ts';
import { isRefusal, type Refusal, refusal } from '../../kernel/errors/index.ts';
import { type Endpoint, problemResponse, takesList } from '../../kernel/http-api/index.ts';
import { whyAmbiguous } from '../../kernel/http-listener/index.ts';

/** Answers input that never becomes a request, such as invalid HTTP or a too large head. The answer is a problem, as elsewhere. */
export function answerUnreadable(server: Server): void {
  server.on('checkExpectation', refuseExpectation);
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Duplex) => {
    if (!socket.writable || error.code === 'ECONNRESET') return void socket.destroy();
    const tooLarge = error.code === 'HPE_HEADER_OVERFLOW';
    const answer = problemResponse(malformed(tooLarge ? 'its address and headers are larger than 16 KiB' : undefined));
    void answer.text().then((body) => socket.end(`${head(answer, Buffer.byteLength(body))}\r\n\r\n${body}`));
  });
}

/** Refuses a request with an unknown `Expect` header, and states the reason. */
function refuseExpectation(_request: IncomingMessage, response: ServerResponse): void {
  const answer = problemResponse(malformed('nothing but "Expect: 100-continue" can be met'));
  response.writeHead(answer.status, { ...Object.fromEntries(answer.headers), 'x-request-id': newId() });
  void answer.text().then((body) => response.end(body));
}

/** Refuses invalid requests that Node accepts: duplicate values of a single-value header, and bytes that are no text. */
export const refuseUnreadable: MiddlewareHandler = (c, next) => {
  const { incoming } = c.env as { incoming?: IncomingMessage };
  const why = incoming && (unreadable(incoming) ?? whyAmbiguous(incoming));
  return why ? Promise.resolve(problemResponse(malformed(why))) : next();
};

/** Refuses a duplicate header when the endpoint declares it as a single value. */
export function refuseTwice({ headers }: Endpoint, incoming: IncomingMessage | undefined): Response | undefined {
  if (!headers || !incoming) return undefined;
  const single = Object.keys(headers.shape).filter((name) => !takesList(headers, name));
  const why = whyAmbiguous(incoming, single);
  return why === undefined ? undefined : problemResponse(malformed(why));
}

function unreadable({ url = '', rawHeaders }: IncomingMessage): string | undefined {
  if (/[^!-~]/.test(url)) return 'its address must be percent-encoded';
  if (!isText(url)) return 'its address is no UTF-8';
  for (let at = 0; at < rawHeaders.length; at += 2) {
    // Node reads each byte as a character.
    const value = rawHeaders[at + 1]!;
    if (/[^\0-~]/.test(value) && !isUtf8(Buffer.from(value, 'latin1'))) return `${rawHeaders[at]} is no UTF-8`;
  }
  return undefined;
}

/** Tells whether the percent-encoded bytes are UTF-8. Accepts the whole URL literally when a percent sign encodes no byte. */
function isText(url: string): boolean {
  if (!url.includes('%') || /%(?![\da-f]{2})/i.test(url)) return true;
  try {
    // The code must use the result: the bundler drops a call with an unused result.
    return decodeURIComponent(url).length > 0;
  } catch {
    return false;
  }
}

/** Returns the answer to a request without a host, or with an invalid address or host. */
export function unreadableRequest(error: unknown): Response {
  if (isRefusal(error) || !(error instanceof Error) || error.name !== 'RequestError') return problemResponse(error);
  return problemResponse(malformed(), { 'x-request-id': newId() });
}

function malformed(detail?: string): Refusal {
  return refusal('malformed-request', detail);
}

function head(answer: Response, bytes: number): string {
  const headers = { 'x-request-id': newId(), 'content-length': bytes, connection: 'close' };
  const lines = [...answer.headers, ...Object.entries(headers)].map(([name, value]) => `${name}: ${value}`);
  return [`HTTP/1.1 ${answer.status} Bad Request`, ...lines].join('\r\n');
}
