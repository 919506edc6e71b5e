import type { ServerResponse } from 'node:http';
import { type Context, type Span, SpanStatusCode, trace } from '@opentelemetry/api';
import {
  activeTrace,
  fromTraceFields,
  isTraced,
  ofService,
  SpanKind,
  startSpan,
  toTraceFields,
} from '../../kernel/telemetry/index.ts';

/** Which requests continue the trace that they name. The others begin a trace of their own, linked to it. */
export type ContinueTraces = 'always' | 'trusted' | 'never';

const maxPathCharacters = 256;

interface PublicRequest {
  readonly method: string;
  readonly path: string;
  header(name: string): string | undefined;
}

/**
 * Starts the span of a public request. Tells the client its trace in `traceresponse`. A trace from a client that is not trusted is only
 * linked: anyone could write into a trace, or have all requests sampled. Its baggage is dropped.
 */
export function startRequestSpan(
  request: PublicRequest,
  continues: boolean,
  outgoing: ServerResponse | undefined,
): Context | undefined {
  const [traceparent, tracestate] = [request.header('traceparent'), request.header('tracestate')];
  const given = fromTraceFields({ traceparent, tracestate, baggage: request.header('baggage') });
  const parent = ofService('gateway', continues ? given : undefined);
  const links = !continues && isTraced(given) ? [{ context: trace.getSpanContext(given)! }] : [];
  const { method, path } = request;
  const attributes = {
    'http.request.method': method,
    'url.path': path.slice(0, maxPathCharacters),
    'url.scheme': 'http',
  };
  const { span, context } = startSpan(method, { kind: SpanKind.SERVER, attributes, links }, parent);
  const { traceparent: own } = toTraceFields(context);
  if (own) outgoing?.setHeader('traceresponse', own);
  outgoing?.once('close', () => endRequestSpan(span, outgoing));
  return own ? context : undefined;
}

function endRequestSpan(span: Span, { statusCode, writableFinished }: ServerResponse): void {
  if (writableFinished) span.setAttribute('http.response.status_code', statusCode);
  else span.setAttribute('error.type', 'the client disconnected');
  if (statusCode >= 500) span.setAttribute('error.type', String(statusCode)).setStatus({ code: SpanStatusCode.ERROR });
  span.end();
}

/** Names the span of the current request after its resource: `GET /products/{sku}`. */
export function nameRequestSpan(method: string, route: string): void {
  const active = activeTrace();
  const span = active && trace.getSpan(active);
  span?.updateName(`${method} ${route}`).setAttribute('http.route', route);
}
