import {
  type Context,
  createContextKey,
  defaultTextMapGetter,
  defaultTextMapSetter,
  ROOT_CONTEXT,
  trace,
} from '@opentelemetry/api';
import { CompositePropagator, W3CBaggagePropagator, W3CTraceContextPropagator } from '@opentelemetry/core';

/** The W3C form of a trace context, in which it travels with calls, events and sagas. */
export interface TraceFields {
  readonly traceparent?: string | undefined;
  readonly tracestate?: string | undefined;
  readonly baggage?: string | undefined;
}

export const w3c = new CompositePropagator({
  propagators: [new W3CTraceContextPropagator(), new W3CBaggagePropagator()],
});

/** Maximum length of each field. A longer field is ignored, as the W3C allows. */
const maxCharacters = 8_192;

/** The W3C flags that this release knows: sampled, and random trace id. */
const knownFlags = 0b11;

/** Returns the fields that carry a trace context. The trace of no request has none. */
export function toTraceFields(context: Context | undefined): TraceFields {
  const fields: TraceFields = {};
  if (context) w3c.inject(context, fields, defaultTextMapSetter);
  return fields;
}

/** Returns the trace context of another process. Ignores a field that is no text, too long, or invalid. Returns `undefined` when none is left. */
export function fromTraceFields({ traceparent, tracestate, baggage }: { readonly [K in keyof TraceFields]: unknown }) {
  if (!traceparent && !baggage) return undefined;
  const fields = { traceparent: readable(traceparent), tracestate: readable(tracestate), baggage: readable(baggage) };
  const context = w3c.extract(ROOT_CONTEXT, fields, defaultTextMapGetter);
  if (context === ROOT_CONTEXT) return undefined;
  const parent = trace.getSpanContext(context);
  if (!parent || parent.traceFlags <= knownFlags) return context;
  return trace.setSpanContext(context, { ...parent, traceFlags: parent.traceFlags & knownFlags });
}

function readable(field: unknown): string | undefined {
  return typeof field === 'string' && field.length <= maxCharacters ? field : undefined;
}

const serviceKey = createContextKey('the service whose code runs');

/** Returns the trace context of code of `service`: a module, `gateway` or `home`. Its spans belong to that service. */
export function ofService(service: string, context: Context = ROOT_CONTEXT): Context {
  return context.setValue(serviceKey, service);
}

/** Returns the service whose code runs in a trace context, if known. */
export function serviceOf(context: Context): string | undefined {
  return context.getValue(serviceKey) as string | undefined;
}
