import { z } from 'zod';
import { type Event, parseCompiled, parserOf, plainly, safeParse } from '../contract/index.ts';

/**
 * The limits of an event, the same for whoever publishes one and whoever takes one in. An event that is over them is refused
 * where it is published, before the commit; from elsewhere it becomes a dead letter.
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
  /** By which order is kept (the partitioning extension of CloudEvents). */
  partitionkey: z.string().max(maxCharacters),
  /** The trace of the publisher. An invalid one is ignored: see `traceOf`. */
  traceparent: z.unknown().optional(),
  data: z.record(z.string(), z.unknown()),
});

export type Envelope = z.infer<typeof envelopeSchema>;

/** An event on its way: what a bus must know of it, and its wire form. */
export interface EncodedEvent {
  readonly id: string;
  readonly type: string;
  readonly key: string;
  readonly json: string;
}

/** Puts `data`, checked against the event's schema, into an envelope. Throws when it does not fit, or no subscriber could take it. */
export function encodeEvent(
  event: Event,
  data: unknown,
  stamp: { id: string; time: string; traceparent?: string },
): EncodedEvent {
  const parsed = parserOf(event.data)(data) as Record<string, unknown>;
  const key = String(parsed[event.key]);
  const envelope: Envelope = {
    specversion: '1.0',
    id: stamp.id,
    source: `/modules/${event.module}`,
    type: event.type,
    time: stamp.time,
    datacontenttype: 'application/json',
    partitionkey: key,
    ...(stamp.traceparent && { traceparent: stamp.traceparent }),
    data: parsed,
  };
  const json = JSON.stringify(envelope);
  const why = whyNotTaken(envelope, json);
  if (why) throw new RangeError(`${event.type} ${why}`);
  return { id: stamp.id, type: event.type, key, json };
}

/** Why no subscriber would take in this event, if so: what is checked is what `eventIn` and `envelopeSchema` check there. */
function whyNotTaken(envelope: Envelope, json: string): string | undefined {
  const bytes = Buffer.byteLength(json);
  if (bytes > maximumEventBytes)
    return `is ${bytes} bytes, over the ${maximumEventBytes} an event may have: send a reference`;
  if (isTooDeep(json)) return `is nested in more than ${maxLevels} levels: send a reference`;
  const { issue } = readEnvelope(envelope);
  return issue && `cannot be sent: ${issue.path.join('.')} ${issue.message}`;
}

/** What came in, as an envelope; otherwise the first reason why it is none, in plain words. */
export function readEnvelope(event: unknown) {
  const { data: envelope } = parseCompiled(envelopeSchema, event);
  return envelope ? { envelope } : { issue: safeParse(envelopeSchema, event, { error: plainly }).error!.issues[0]! };
}

/** The trace that an event belongs to, where it names one. */
export function traceOf({ traceparent }: Envelope): string | undefined {
  return typeof traceparent === 'string' && traceparent.length <= maxCharacters ? traceparent : undefined;
}

/** An event as a wire brings it: parsed, or the text itself when that is no JSON, or none that could be written again. */
export function asItCame(text: string): unknown {
  try {
    return text.length > maximumEventBytes || isTooDeep(text) ? text : JSON.parse(text);
  } catch {
    return text;
  }
}

/** Whether a JSON text is nested in too many levels. Most have fewer brackets, and to count these takes a tenth of the time. */
function isTooDeep(text: string): boolean {
  const brackets = text.match(/[[{]/g)?.length ?? 0;
  return brackets > maxLevels && levelsOf(text) > maxLevels;
}

/** How deep a JSON text is nested, at most. Brackets within strings are text. */
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

/** An event that came in, as it is passed on. */
export function encodeAgain(envelope: Envelope): EncodedEvent {
  const { id, type, partitionkey: key } = envelope;
  return { id, type, key, json: JSON.stringify(envelope) };
}
