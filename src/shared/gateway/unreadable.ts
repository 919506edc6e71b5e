import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { v7 as uuid } from 'uuid';
import { isRefusal, type Refusal, refusal } from '../errors/index.ts';
import { problemResponse } from '../routes/index.ts';

/** What is no HTTP, or whose head is too large, never becomes a request: it is answered here, as everything else is. */
export function answerUnreadable(server: Server): void {
  server.on('checkExpectation', refuseExpectation);
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Duplex) => {
    if (!socket.writable || error.code === 'ECONNRESET') return void socket.destroy();
    const tooLarge = error.code === 'HPE_HEADER_OVERFLOW';
    const answer = problemResponse(malformed(tooLarge ? 'its address and headers are larger than 16 KiB' : undefined));
    void answer.text().then((body) => socket.end(`${head(answer, Buffer.byteLength(body))}\r\n\r\n${body}`));
  });
}

/** Who expects what is not known before sending more, is not sent away without a word. */
function refuseExpectation(_request: IncomingMessage, response: ServerResponse): void {
  const answer = problemResponse(malformed('nothing but "Expect: 100-continue" can be met'));
  response.writeHead(answer.status, { ...Object.fromEntries(answer.headers), 'x-request-id': uuid() });
  void answer.text().then((body) => response.end(body));
}

/** The answer to a request with no host, or with an address or a host that can be none. */
export function unreadableRequest(error: unknown): Response {
  if (isRefusal(error) || !(error instanceof Error) || error.name !== 'RequestError') return problemResponse(error);
  return problemResponse(malformed(), { 'x-request-id': uuid() });
}

function malformed(detail?: string): Refusal {
  return refusal('malformed-request', detail);
}

function head(answer: Response, bytes: number): string {
  const headers = { 'x-request-id': uuid(), 'content-length': bytes, connection: 'close' };
  const lines = [...answer.headers, ...Object.entries(headers)].map(([name, value]) => `${name}: ${value}`);
  return [`HTTP/1.1 ${answer.status} Bad Request`, ...lines].join('\r\n');
}
