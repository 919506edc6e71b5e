import type { HrTime } from '@opentelemetry/api';
import { SpanKind, SpanStatusCode } from '@opentelemetry/api';
import { hrTimeToMicroseconds } from '@opentelemetry/core';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base';
import type { SpanRow } from '../admin-contract/index.ts';

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
    // A program that is no process of this system may not say more than its host.
    instance: String(attributes['service.instance.id'] ?? attributes['host.name'] ?? 'unknown'),
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

/** Returns the spans without duplicates, in the order of their start. The last one of an id counts. */
export function inOrder(spans: readonly SpanRow[]): SpanRow[] {
  const once = new Map(spans.map((span) => [span.spanId, span]));
  return [...once.values()].sort((one, other) => one.startUs - other.startUs);
}
