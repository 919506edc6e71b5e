import { type HrTime, type SpanContext, SpanKind, SpanStatusCode, TraceFlags } from '@opentelemetry/api';
import type { InstrumentationScope } from '@opentelemetry/core';
import type { Resource } from '@opentelemetry/resources';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base';
import { entriesOf, fieldsOf, type OtlpId, type OtlpMessage, type OtlpSpan } from './otlp-messages.ts';
import { maxOfEach, type Room, readAttributes, shortName, shortText } from './otlp-values.ts';

/** The sender of a span, and the part of its program that made the span. */
export interface ReceivedOrigin {
  readonly resource: Resource;
  readonly instrumentationScope: InstrumentationScope;
}

/** Maximum number of characters in the attributes of a span, of its events and of its links. */
const maxCharacters = 16_384;
/** How far a time may be from the clock of this process. Spans may come late, and a span may take long. */
const maxBehindUs = 24 * 60 * 60 * 1_000_000;
const maxAheadUs = 10 * 60 * 1_000_000;
const hasIsRemote = 0x100;
const isRemote = 0x200;

const kinds = [
  SpanKind.INTERNAL,
  SpanKind.INTERNAL,
  SpanKind.SERVER,
  SpanKind.CLIENT,
  SpanKind.PRODUCER,
  SpanKind.CONSUMER,
];

/**
 * Reads a span for the memory and for exporters, within the bounds of spans that are recorded here. It counts as sampled, since its
 * sender has exported it. Returns the reason when the span must be rejected. Throws when the message is none.
 */
export function readSpan(message: OtlpMessage, origin: ReceivedOrigin, nowMs: number): ReadableSpan | string {
  const given = fieldsOf(message, 'Span');
  const [traceId, spanId] = [idOf(given.traceId, 32), idOf(given.spanId, 16)];
  if (!traceId || !spanId) return 'the trace id or the span id is missing, zero, or of another length';
  const parentSpanId = idOf(given.parentSpanId, 16);
  if (parentSpanId === undefined && !isZero(given.parentSpanId)) return 'the id of the parent has another length';
  const startUs = microseconds(given.startTimeUnixNano);
  const endUs = Math.max(startUs, microseconds(given.endTimeUnixNano));
  const nowUs = nowMs * 1_000;
  if (!(startUs > nowUs - maxBehindUs && endUs < nowUs + maxAheadUs))
    return "a time is missing, over a day old, or over 10 minutes ahead: compare the sender's clock";
  return spanOf(message, given, origin, { traceId, spanId, parentSpanId, startUs, endUs });
}

interface Essentials {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  readonly startUs: number;
  readonly endUs: number;
}

function spanOf(
  message: OtlpMessage,
  given: OtlpSpan,
  origin: ReceivedOrigin,
  { traceId, spanId, parentSpanId, startUs, endUs }: Essentials,
): ReadableSpan {
  const room: Room = { characters: maxCharacters };
  const { attributes, dropped } = readAttributes(message, 'Span.attributes', room);
  const context: SpanContext = { traceId, spanId, traceFlags: TraceFlags.SAMPLED };
  const events = entriesOf(message, 'Span.events', maxOfEach);
  const readEvents = events.entries.flatMap((each) => eventOf(each, startUs, room) ?? []);
  const links = entriesOf(message, 'Span.links', maxOfEach);
  const readLinks = links.entries.flatMap((each) => linkOf(each, room) ?? []);
  return {
    ...origin,
    name: shortName(given.name) || 'unknown',
    kind: kinds[given.kind ?? 0] ?? SpanKind.INTERNAL,
    spanContext: () => context,
    ...(parentSpanId !== undefined && { parentSpanContext: parentOf(context, parentSpanId, given.flags ?? 0) }),
    startTime: hrTime(startUs),
    endTime: hrTime(endUs),
    duration: hrTime(endUs - startUs),
    ended: true,
    status: statusOf(given.status ?? {}),
    attributes,
    events: readEvents,
    links: readLinks,
    droppedAttributesCount: dropped,
    droppedEventsCount: events.total - readEvents.length,
    droppedLinksCount: links.total - readLinks.length,
  };
}

function parentOf({ traceId }: SpanContext, spanId: string, flags: number): SpanContext {
  const known = (flags & hasIsRemote) !== 0 && { isRemote: (flags & isRemote) !== 0 };
  return { traceId, spanId, traceFlags: TraceFlags.SAMPLED, ...known };
}

function eventOf(message: OtlpMessage, startUs: number, room: Room): ReadableSpan['events'][number] | undefined {
  const event = fieldsOf(message, 'Event');
  const name = shortName(event.name);
  if (name.length > room.characters) return undefined;
  room.characters -= name.length;
  const { attributes, dropped } = readAttributes(message, 'Event.attributes', room);
  const time = hrTime(microseconds(event.timeUnixNano) || startUs);
  return { name, time, attributes, droppedAttributesCount: dropped };
}

function linkOf(message: OtlpMessage, room: Room): ReadableSpan['links'][number] | undefined {
  const link = fieldsOf(message, 'Link');
  const [traceId, spanId] = [idOf(link.traceId, 32), idOf(link.spanId, 16)];
  if (!traceId || !spanId) return undefined;
  const { attributes } = readAttributes(message, 'Link.attributes', room);
  return { context: { traceId, spanId, traceFlags: TraceFlags.NONE }, attributes };
}

function statusOf({ code, message }: NonNullable<OtlpSpan['status']>): ReadableSpan['status'] {
  const known = code === SpanStatusCode.OK || code === SpanStatusCode.ERROR ? code : SpanStatusCode.UNSET;
  return { code: known, ...(message && { message: shortText(message) }) };
}

/** Returns an id of so many hexadecimal digits, not all of them zero. */
function idOf(given: OtlpId, digits: number): string | undefined {
  const id = hexOf(given);
  return id.length === digits && /^[0-9a-f]+$/.test(id) && !isZero(given) ? id : undefined;
}

/** Returns whether an id is absent: empty, or all zeros. */
function isZero(given: OtlpId): boolean {
  return /^0*$/.test(hexOf(given));
}

function hexOf(given: OtlpId): string {
  if (typeof given === 'string') return given.slice(0, 64).toLowerCase();
  return given ? Buffer.from(given.subarray(0, 32)).toString('hex') : '';
}

/** Returns whole microseconds, as the spans that are recorded here have. Not a number when the text is none. */
function microseconds(nanoseconds: string | number | null | undefined): number {
  return Math.round(Number(nanoseconds ?? 0) / 1_000);
}

function hrTime(us: number): HrTime {
  const seconds = Math.floor(us / 1_000_000);
  return [seconds, (us - seconds * 1_000_000) * 1_000];
}
