import type { ServerResponse } from 'node:http';
import { type Span, SpanStatusCode, trace } from '@opentelemetry/api';
import {
  fromTraceFields,
  isTraced,
  type OpenSpan,
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
 * Starts the span of a public request, unless no traces are recorded. The header `traceresponse` tells the client its trace. A trace from
 * an untrusted client is only linked, and its baggage is dropped. Otherwise anyone could add to a trace, or make all requests sampled.
 */
export function startRequestSpan(
  request: PublicRequest,
  continues: boolean,
  outgoing: ServerResponse | undefined,
): OpenSpan | undefined {
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
  const opened = startSpan(method, { kind: SpanKind.SERVER, attributes, links }, parent);
  const { traceparent: own } = toTraceFields(opened.context);
  if (own) outgoing?.setHeader('traceresponse', own);
  return own ? opened : undefined;
}

/** Ends the span of a public request. `status` is absent when the client disconnected before the end of the answer. */
export function endRequestSpan(span: Span, status: number | undefined): void {
  if (status === undefined) span.setAttribute('error.type', 'the client disconnected');
  else span.setAttribute('http.response.status_code', status);
  if (status !== undefined && status >= 500)
    span.setAttribute('error.type', String(status)).setStatus({ code: SpanStatusCode.ERROR });
  span.end();
}

/** Names the span of a request after its resource: `GET /products/{sku}`. */
export function nameRequestSpan(span: Span, method: string, route: string): void {
  span.updateName(`${method} ${route}`).setAttribute('http.route', route);
}
