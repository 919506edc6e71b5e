import { z } from 'zod';

const attributes = z.record(z.string(), z.unknown());
const microseconds = z.number();

/** One span of a trace, as operators see it. Times are microseconds since 1970. */
const spanRow = z.object({
  traceId: z.string(),
  spanId: z.string(),
  parentSpanId: z.string().nullable(),
  name: z.string(),
  kind: z.enum(['internal', 'server', 'client', 'producer', 'consumer']),
  /** The module whose code ran, `gateway`, or `home`. */
  service: z.string(),
  /** The process: host and process id. */
  instance: z.string(),
  startUs: microseconds,
  durationUs: microseconds,
  failed: z.boolean(),
  attributes,
  events: z.array(z.object({ name: z.string(), atUs: microseconds, attributes })),
  links: z.array(z.object({ traceId: z.string(), spanId: z.string() })),
});
export type SpanRow = z.output<typeof spanRow>;

/** The latest spans of a module process, which it sends to the home process when it ends. */
export const finalSpans = z.object({
  /** The id of the process. */
  process: z.string(),
  spans: z.array(spanRow).readonly(),
});

/** A trace in a list. It has the name of its first span. */
export const traceRow = z.object({
  traceId: z.string(),
  name: z.string(),
  service: z.string(),
  startUs: microseconds,
  durationUs: microseconds,
  spans: z.number(),
  services: z.array(z.string()),
  failed: z.boolean(),
});
export type TraceRow = z.output<typeof traceRow>;

/** The time of a call or an event that goes from one process to another, by the clock of one of them. */
const crossing = z.object({
  /** The id of the span in the process that it leaves. */
  id: z.string(),
  startUs: microseconds,
  /** Null when the process does not know when the other one had ended its work. */
  endUs: microseconds.nullable(),
});
export type Crossing = z.output<typeof crossing>;

/** Summarizes the spans of one trace in one process. The home process joins the summaries to a list of traces. */
export const traceSummary = traceRow.extend({
  /** The id of the process that has the spans. */
  process: z.string(),
  /** Whether the first span, which gives the trace its name, has no parent. */
  isRoot: z.boolean(),
  /** Whether a span has the name that the query asks for. */
  isNamed: z.boolean(),
  /** Calls and events that left the process (`sent`) or came to it (`served`). Their times show by how much its clock differs from others. */
  sent: z.array(crossing).readonly().default([]),
  served: z.array(crossing).readonly().default([]),
});
export type TraceSummary = z.output<typeof traceSummary>;

/** The query of `GET /ops/traces`. */
export const tracesQuery = z.strictObject({
  /** Only traces that pass through this service. */
  service: z.string().min(1).max(100).optional(),
  /** Only traces with a span whose name contains this text. */
  name: z.string().min(1).max(200).optional(),
  /** Only traces with a failed span. */
  failed: z.stringbool('must be true or false').optional(),
  /** Only traces that took at least this long, in milliseconds. */
  minMs: z.coerce.number().min(0).optional(),
  limit: z.coerce.number().int().min(1).max(500).default(50),
});
export type TracesQuery = z.output<typeof tracesQuery>;
