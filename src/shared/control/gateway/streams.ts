import type { IncomingMessage } from 'node:http';
import type { Context } from 'hono';
import { refusal } from '../../kernel/errors/index.ts';
import { problemResponse, type ServedEndpoint } from '../../kernel/http-api/index.ts';
import { clientNetwork } from '../http-server/index.ts';
import { currentClient } from './client-address.ts';
import type { ServeEndpoint } from './passing-on.ts';
import { type RequestsInFlight, tryAgainIn } from './rate-limit.ts';
import { bounded } from './stream-limits.ts';

export interface StreamDependencies {
  /** Counts the open streams of each client. */
  readonly open: RequestsInFlight;
  readonly stalledMs: number;
  /** Learns of an answer that broke off in the middle, unless the client has gone. */
  readonly failed: (error: unknown, c: Context) => void;
}

/** Tells whether the body of the request or of the answer travels as a stream. */
export function isStreamed({ upload, download }: ServedEndpoint): boolean {
  return upload !== undefined || download !== undefined;
}

/** Serves an endpoint whose body or answer is a stream, within its limits, wherever its module runs. */
export function serveStream(serve: ServeEndpoint, parts: StreamDependencies): ServeEndpoint {
  return async (c, endpoint) => {
    const release = parts.open.begin(clientNetwork(currentClient()));
    if (!release) return problemResponse(tryAgainIn(1_000));
    let isOpen = false;
    try {
      const refused = takeUpload(c, endpoint, parts);
      if (refused) return refused;
      const answer = await serve(c, endpoint);
      if (!endpoint.download || !answer.ok || !answer.body || c.req.raw.method === 'HEAD') return answer;
      isOpen = true;
      return sendDownload(c, answer, endpoint.download, parts, release);
    } finally {
      if (!isOpen) release();
    }
  };
}

/** Puts the limits around the body of the request. Refuses a body whose declared length is over them. */
function takeUpload(c: Context, { upload }: ServedEndpoint, { stalledMs }: StreamDependencies): Response | undefined {
  if (!upload) return undefined;
  if (Number(c.req.header('content-length') ?? 0) > upload.maxBytes)
    return problemResponse(refusal('body-too-large', `at most ${upload.maxBytes} bytes`));
  const source = c.req.raw.body;
  if (!source) return undefined;
  const body = bounded(source, { ...upload, stalledMs, client: 'writes' });
  c.req.raw = new Request(c.req.raw, { body, duplex: 'half' } as RequestInit);
  return undefined;
}

function sendDownload(
  c: Context,
  answer: Response,
  limits: NonNullable<ServedEndpoint['download']>,
  { stalledMs, failed }: StreamDependencies,
  release: () => void,
): Response {
  const ended = (error?: unknown) => {
    release();
    if (error !== undefined) failed(error, c);
  };
  const headers = new Headers(answer.headers);
  // The stream may break off before that length.
  headers.delete('content-length');
  const { incoming } = c.env as { incoming?: IncomingMessage };
  // Otherwise Hono reads ahead, and takes an early error for the end. HTTP/1.0 has no chunks.
  if (incoming?.httpVersion !== '1.0') headers.set('transfer-encoding', 'chunked');
  const body = bounded(answer.body!, { ...limits, stalledMs, client: 'reads', ended });
  return new Response(body, { status: answer.status, headers });
}
