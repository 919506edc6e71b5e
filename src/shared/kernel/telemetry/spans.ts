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

import { isFailure } from '../errors/index.ts';
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
 * Returns whether the trace is sampled, so that it is recorded whole. Another trace records its public request, and what fails: enough to
 * keep it when it turns out to be slow, or fails.
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

/**
 * Runs `work` in a span, which ends with it. In a trace that is not sampled, runs it in the current span instead, and makes a span only when
 * it fails: that costs a tenth.
 */
export function inSpan<T>(
  name: string,
  options: SpanOptions,
  parent: Context | undefined,
  work: (context: Context) => Promise<T>,
): Promise<T> {
  if (isTraced(parent) && !isSampled(parent)) return spanOfFailure(name, options, parent, work(parent));
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

/** Makes a span for work that has begun just now, if it fails. Returns `work`. */
function spanOfFailure<T>(name: string, options: SpanOptions, parent: Context, work: Promise<T>): Promise<T> {
  const startTime = Date.now();
  work.then(undefined, (error: unknown) => {
    if (!isFailure(error)) return;
    const { span } = startSpan(name, { ...options, startTime }, parent);
    markFailed(span, error);
    span.end();
  });
  return work;
}

/** Notes how the work of a span failed. The status is an error unless the error is a refusal that a contract declares. */
function markFailed(span: Span, error: unknown): void {
  const type = typeOf(error);
  span.setAttribute('error.type', type);
  if (isFailure(error)) span.setStatus({ code: SpanStatusCode.ERROR });
}

function typeOf(error: unknown): string {
  if (!(error instanceof Error)) return typeof error;
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
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
