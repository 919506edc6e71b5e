import {
  type Attributes,
  type AttributeValue,
  type Context,
  INVALID_TRACEID,
  ROOT_CONTEXT,
  type Span,
  type SpanOptions,
  SpanStatusCode,
  TraceFlags,
  trace,
} from '@opentelemetry/api';

import { activeTrace, withTrace } from './context-manager.ts';

export { SpanKind } from '@opentelemetry/api';

const tracer = trace.getTracer('kerf');

/** A span and the trace context of the work in it. */
export interface OpenSpan {
  readonly span: Span;
  readonly context: Context;
}

/** Starts a span below the current span of `parent`, or a new trace. End it with `endWith`, or by `span.end()`. */
export function startSpan(name: string, options: SpanOptions, parent: Context = ROOT_CONTEXT): OpenSpan {
  const span = tracer.startSpan(name, options, parent);
  return { span, context: trace.setSpan(parent, span) };
}

/** Returns whether `context` belongs to a trace, of this process or of another. */
export function isTraced(context: Context | undefined): context is Context {
  const span = context && trace.getSpanContext(context);
  return span !== undefined && span.traceId !== INVALID_TRACEID;
}

/**
 * Returns whether the trace is sampled, so that its details are recorded too. A trace that is not sampled records its calls, events and
 * sagas only: enough to keep it when it turns out to be slow, or fails.
 */
export function isSampled(context: Context | undefined): context is Context {
  const span = context && trace.getSpanContext(context);
  return span !== undefined && (span.traceFlags & TraceFlags.SAMPLED) !== 0;
}

/** Ends a span when `work` settles. An error sets the status of the span. Its message may name a person, so it is left out. */
export function endWith(span: Span, work: Promise<unknown>): void {
  work.then(
    () => span.end(),
    (error: unknown) => {
      markFailed(span, error);
      span.end();
    },
  );
}

/** Runs `work` in a span, which ends with it. */
export function inSpan<T>(
  name: string,
  options: SpanOptions,
  parent: Context | undefined,
  work: (context: Context) => Promise<T>,
): Promise<T> {
  const { span, context } = startSpan(name, options, parent);
  const working = work(context);
  endWith(span, working);
  return working;
}

/** Runs `work` in a span of the current trace. Without a trace, runs it alone. */
export function traced<T>(name: string, options: SpanOptions, work: () => Promise<T>): Promise<T> {
  const parent = activeTrace();
  return isTraced(parent) ? inSpan(name, options, parent, (context) => withTrace(context, work)) : work();
}

/** A declared answer of a contract, such as "out of stock", is no failure. */
const failures = new Set(['internal', 'unavailable', 'overloaded', 'timeout']);

/** Notes how the work of a span failed. The status is an error unless the error is a refusal that a contract declares. */
export function markFailed(span: Span, error: unknown): void {
  const { name, code } = error instanceof Error ? (error as Error & { code?: unknown }) : { name: typeof error };
  const type = typeof code === 'string' ? code : name;
  span.setAttribute('error.type', type);
  if (typeof code !== 'string' || failures.has(code) || !isLowerCase(code))
    span.setStatus({ code: SpanStatusCode.ERROR, message: type });
}

/** Refusals have codes in lower case; errors of the system, such as ECONNRESET, have not. */
function isLowerCase(code: string): boolean {
  return code === code.toLowerCase();
}

/** Puts a wait into a span, if the trace is sampled. The wait ends when `work` calls `began`, or settles before that. */
export function traceWait<T>(
  name: string,
  parent: Context | undefined,
  work: (began: () => void) => Promise<T>,
): Promise<T> {
  if (!isSampled(parent)) return work(() => {});
  const { span } = startSpan(name, {}, parent);
  let waits = true;
  const began = () => {
    if (waits) span.end();
    waits = false;
  };
  const working = work(began);
  working.then(began, began);
  return working;
}

/** Sets an attribute of the current span of `context`, if its trace is sampled. */
export function setOnSpan(context: Context | undefined, name: string, value: AttributeValue): void {
  if (isSampled(context)) trace.getSpan(context)?.setAttribute(name, value);
}

/** Adds an event to the current span of `context`, if it is recorded. */
export function addSpanEvent(context: Context | undefined, name: string, attributes?: Attributes): void {
  if (context) trace.getSpan(context)?.addEvent(name, attributes);
}
