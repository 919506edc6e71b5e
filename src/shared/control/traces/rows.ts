import type { HrTime } from '@opentelemetry/api';
import { SpanKind, SpanStatusCode } from '@opentelemetry/api';
import { hrTimeToMicroseconds } from '@opentelemetry/core';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base';
import type { SpanRow, TraceRow, TracesQuery } from '../admin-contract/index.ts';

const kinds = {
  [SpanKind.INTERNAL]: 'internal',
  [SpanKind.SERVER]: 'server',
  [SpanKind.CLIENT]: 'client',
  [SpanKind.PRODUCER]: 'producer',
  [SpanKind.CONSUMER]: 'consumer',
} as const;

/** Describes a span for operators. */
export function rowOf(span: ReadableSpan): SpanRow {
  const { traceId, spanId } = span.spanContext();
  const { attributes } = span.resource;
  return {
    traceId,
    spanId,
    parentSpanId: span.parentSpanContext?.spanId ?? null,
    name: span.name,
    kind: kinds[span.kind],
    service: String(attributes['service.name']),
    instance: String(attributes['service.instance.id']),
    startUs: microseconds(span.startTime),
    durationUs: microseconds(span.duration),
    failed: span.status.code === SpanStatusCode.ERROR,
    attributes: span.attributes,
    events: span.events.map(({ name, time, attributes = {} }) => ({ name, atUs: microseconds(time), attributes })),
    links: span.links.map(({ context }) => ({ traceId: context.traceId, spanId: context.spanId })),
  };
}

function microseconds(time: HrTime): number {
  return Math.round(hrTimeToMicroseconds(time));
}

/** Sums up spans of one trace. The trace has the name of the first span: the one without a parent, if it is among them. */
export function summaryOf(spans: readonly SpanRow[]): TraceRow {
  const inOrder = [...spans].sort((one, other) => one.startUs - other.startUs);
  const first = inOrder.find(({ parentSpanId }) => parentSpanId === null) ?? inOrder[0]!;
  const startUs = inOrder[0]!.startUs;
  const endUs = Math.max(...inOrder.map((each) => each.startUs + each.durationUs));
  return {
    traceId: first.traceId,
    name: first.name,
    service: first.service,
    startUs,
    durationUs: endUs - startUs,
    spans: inOrder.length,
    services: [...new Set(inOrder.map(({ service }) => service))],
    failed: inOrder.some(({ failed }) => failed),
  };
}

/** Returns the spans without those that came twice, by trace. */
export function byTrace(spans: readonly SpanRow[]): Map<string, SpanRow[]> {
  const once = new Map(spans.map((span) => [`${span.traceId} ${span.spanId}`, span]));
  return Map.groupBy(once.values(), ({ traceId }) => traceId);
}

/** Returns whether a trace is among those that the operator wants to see. */
export function matches(
  spans: readonly SpanRow[],
  summary: TraceRow,
  { service, name, failed, minMs }: TracesQuery,
): boolean {
  return (
    (service === undefined || summary.services.includes(service)) &&
    (name === undefined || spans.some((span) => span.name.includes(name))) &&
    (failed === undefined || summary.failed === failed) &&
    (minMs === undefined || summary.durationUs >= minMs * 1_000)
  );
}
