import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { errorCode, headersOf, isRefusal, Refusal, refusal, toProblem } from '../../kernel/errors/index.ts';
import { gatherBody } from '../../kernel/http-listener/index.ts';
import type { Log } from '../../kernel/telemetry/index.ts';
import type { MetricFamily } from '../parts/index.ts';
import type { OtlpAnswer, OtlpForm } from './otlp-messages.ts';
import type { ReceivedSpans } from './received-spans.ts';
import type { TraceMemory } from './trace-memory.ts';

export interface SpanReceiverDependencies {
  /** Remembers the spans of other programs. It is not the memory of this process's own spans, so they cannot push those out. */
  readonly memory: Pick<TraceMemory, 'add' | 'spansOf'>;
  /** Throws `unauthenticated` unless the `authorization` of a request allows its sender to send spans. */
  readonly guard: (authorization: string | null) => void;
  readonly log: Log;
  readonly now: () => number;
}

/** Maximum size of a body, compressed or not. A batch of an exporter takes less than 1 MiB. */
const maxBytes = 4 * 1024 * 1024;
/** Maximum number of requests whose bodies are in memory. */
const maxRequests = 8;
const retryAfterSeconds = 1;
const decompress = promisify(gunzip);

/** The forms of OTLP load on first use: few systems receive spans. */
const messages = () => import('./otlp-messages.ts');

/**
 * Takes spans from other programs by OTLP over HTTP, as its specification says: in Protocol Buffers or JSON, also with gzip. Answers how
 * many spans were rejected, and why.
 */
export class SpanReceiver {
  readonly #counts = { accepted: 0, rejected: 0 };
  #requests = 0;
  private readonly parts: SpanReceiverDependencies;

  constructor(parts: SpanReceiverDependencies) {
    this.parts = parts;
  }

  /** Answers a request. Rejects the spans of services for which `isOwn` returns true: a sender must not write in the name of this system. */
  async answer(request: Request, isOwn: (service: string) => boolean): Promise<Response> {
    const form = formOf(request.headers.get('content-type'));
    try {
      this.parts.guard(request.headers.get('authorization'));
      if (request.method !== 'POST') throw refusal('method-not-allowed', 'send spans by POST');
      if (!form) throw unsupported('send application/x-protobuf or application/json');
      const answer = await this.#take(request, form, isOwn);
      return await written(answer, form, 200, { 'cache-control': 'no-store' });
    } catch (error) {
      if (!isRefusal(error)) this.parts.log.error({ error }, 'spans of another program could not be taken');
      const problem = toProblem(error);
      const allow = problem.status === 405 && { allow: 'POST' };
      const message = String(problem.detail ?? problem.title);
      return written({ message }, form ?? 'application/json', problem.status, { ...headersOf(problem), ...allow });
    }
  }

  /** Counts the spans that came, by their outcome. */
  family(): MetricFamily {
    const samples = Object.entries(this.#counts).map(([outcome, value]) => ({ labels: { outcome }, value }));
    const help = 'Spans that other programs sent, by outcome: accepted or rejected.';
    return { name: 'kerf_spans_received_total', help, type: 'counter', samples };
  }

  async #take(request: Request, form: OtlpForm, isOwn: (service: string) => boolean): Promise<OtlpAnswer> {
    if (this.#requests >= maxRequests)
      throw refusal('overloaded', 'too many requests with spans are in memory', { retryAfter: retryAfterSeconds });
    this.#requests += 1;
    try {
      const body = await bodyOf(request);
      const { readSpans } = await import('./received-spans.ts');
      return this.#remember(readSpans(body, form, { isOwn, nowMs: this.parts.now() }));
    } finally {
      this.#requests -= 1;
    }
  }

  #remember({ spans, rejected }: ReceivedSpans): OtlpAnswer {
    const { memory } = this.parts;
    for (const span of spans) {
      const { traceId, spanId } = span.spanContext();
      // An exporter that had no answer in time sends its spans again.
      if (!memory.spansOf(traceId).some((each) => each.spanContext().spanId === spanId)) memory.add(span);
    }
    const rejectedSpans = [...rejected.values()].reduce((sum, count) => sum + count, 0);
    this.#counts.accepted += spans.length;
    this.#counts.rejected += rejectedSpans;
    if (rejectedSpans === 0) return {};
    const errorMessage = [...rejected].map(([reason, count]) => `${count} rejected: ${reason}`).join('; ');
    return { partialSuccess: { rejectedSpans, errorMessage } };
  }
}

function formOf(contentType: string | null): OtlpForm | undefined {
  const [type = ''] = (contentType ?? '').split(';', 1);
  const name = type.trim().toLowerCase();
  return name === 'application/json' || name === 'application/x-protobuf' ? name : undefined;
}

function unsupported(detail: string): Refusal {
  return new Refusal('unsupported-media-type', 415, 'The body has a form that is not supported', detail);
}

async function bodyOf(request: Request): Promise<Buffer> {
  const encoding = request.headers.get('content-encoding') ?? 'identity';
  if (encoding !== 'gzip' && encoding !== 'identity') throw unsupported('compress with gzip, or not at all');
  const tooLarge = () => refusal('body-too-large', `send at most ${maxBytes} bytes, also when they are decompressed`);
  if (Number(request.headers.get('content-length') ?? 0) > maxBytes) throw tooLarge();
  const body = await gatherBody(request.body, maxBytes).catch((cause: unknown) => {
    throw refusal('malformed-body', 'the body did not arrive', undefined, { cause });
  });
  if (!body) throw tooLarge();
  if (encoding === 'identity') return body;
  return decompress(body, { maxOutputLength: maxBytes }).catch((cause: unknown) => {
    if (errorCode(cause) === 'ERR_BUFFER_TOO_LARGE') throw tooLarge();
    throw refusal('malformed-body', 'the body is no gzip', undefined, { cause });
  });
}

async function written(
  answer: OtlpAnswer,
  form: OtlpForm,
  status: number,
  headers: Record<string, string>,
): Promise<Response> {
  const body = (await messages()).writeAnswer(answer, form);
  return new Response(body, { status, headers: { ...headers, 'content-type': form } });
}
