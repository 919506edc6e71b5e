import { z } from 'zod';
import { type Event, parseCompiled, parserOf, plainly, safeParse } from '../contract/index.ts';
import type { TraceFields } from '../telemetry/index.ts';

/**
 * The limits of an event, the same for publishers and subscribers. The outbox refuses an event over the limits before the
 * commit. An event over the limits from another source becomes a dead letter.
 */
export const maximumEventBytes = 256 * 1024;
const maxLevels = 100;
const maxCharacters = 200;
const name = z.string().min(1).max(maxCharacters);

/** An event on every wire and in the outbox: a CloudEvents 1.0 event in structured JSON. */
export const envelopeSchema = z.object({
  specversion: z.literal('1.0'),
  id: name,
  /** The publishing module: `/modules/orders`. */
  source: name,
  /** Name and version: `orders.order-placed.v1`. */
  type: name,
  time: z.iso.datetime(),
  datacontenttype: z.literal('application/json'),
  /** Events with the same key stay in order (the partitioning extension of CloudEvents). */
  partitionkey: z.string().max(maxCharacters),
  /** The trace of the publisher (the distributed tracing extension of CloudEvents) and its baggage. Invalid fields are ignored. */
  traceparent: z.unknown().optional(),
  tracestate: z.unknown().optional(),
  baggage: z.unknown().optional(),
  data: z.record(z.string(), z.unknown()),
});

export type Envelope = z.infer<typeof envelopeSchema>;

/** An event in transit: the fields that a bus needs, and its wire form. */
export interface EncodedEvent {
  readonly id: string;
  readonly type: string;
  readonly key: string;
  readonly json: string;
}

/** Validates `data` against the event's schema and puts it into an envelope. Throws when it is invalid or no subscriber could take it. */
export function encodeEvent(
  event: Event,
  data: unknown,
  { id, time, ...trace }: { id: string; time: string } & TraceFields,
): EncodedEvent {
  const parsed = parserOf(event.data)(data);
  const key = String(parsed[event.key]);
  const envelope: Envelope = {
    specversion: '1.0',
    id,
    source: `/modules/${event.module}`,
    type: event.type,
    time,
    datacontenttype: 'application/json',
    partitionkey: key,
    ...trace,
    data: parsed,
  };
  const json = JSON.stringify(envelope);
  const why = whyNotTaken(envelope, json);
  if (why) throw new RangeError(`${event.type} ${why}`);
  return { id, type: event.type, key, json };
}

/** Returns why no subscriber would take this event, if so. Covers the subscriber's checks in `parseEvent` and `envelopeSchema`. */
function whyNotTaken(envelope: Envelope, json: string): string | undefined {
  const bytes = Buffer.byteLength(json);
  if (bytes > maximumEventBytes)
    return `is ${bytes} bytes, over the ${maximumEventBytes} an event may have: send a reference`;
  if (isTooDeep(json)) return `is nested in more than ${maxLevels} levels: send a reference`;
  const { issue } = readEnvelope(envelope);
  return issue && `cannot be sent: ${issue.path.join('.')} ${issue.message}`;
}

/** Returns a received event as an envelope, or the first reason why it is not one, in plain words. */
export function readEnvelope(event: unknown) {
  const { data: envelope } = parseCompiled(envelopeSchema, event);
  if (envelope) return { envelope };
  // The schema refuses what its compiled form refuses, and an error has an issue.
  return { issue: safeParse(envelopeSchema, event, { error: plainly }).error!.issues[0]! };
}

/** Parses an event from the wire. Returns the text itself when it is not JSON, too long, or nested too deeply. */
export function parseEvent(text: string): unknown {
  try {
    return text.length > maximumEventBytes || isTooDeep(text) ? text : JSON.parse(text);
  } catch {
    return text;
  }
}

/** Returns whether a JSON text is nested too deeply. Counts brackets first: this takes a tenth of the time, and most texts have few. */
function isTooDeep(text: string): boolean {
  const brackets = text.match(/[[{]/g)?.length ?? 0;
  return brackets > maxLevels && levelsOf(text) > maxLevels;
}

/** Returns the maximum nesting depth of a JSON text. Ignores brackets within strings. */
function levelsOf(text: string): number {
  let level = 0;
  let most = 0;
  let inString = false;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (inString) {
      if (code === backslash) at += 1;
      else if (code === quote) inString = false;
    } else if (code === quote) inString = true;
    else if (code === 0x5b || code === 0x7b) most = Math.max(most, ++level);
    else if (code === 0x5d || code === 0x7d) level -= 1;
  }
  return most;
}

const [quote, backslash] = [0x22, 0x5c];

/** Encodes a received event again, to pass it on. */
export function encodeAgain(envelope: Envelope): EncodedEvent {
  const { id, type, partitionkey: key } = envelope;
  return { id, type, key, json: JSON.stringify(envelope) };
}
