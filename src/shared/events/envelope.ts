import { z } from 'zod';
import type { Event } from '../contract/index.ts';

/** An event on every wire and in the outbox: a CloudEvents 1.0 event in structured JSON. */
export const envelopeSchema = z.object({
  specversion: z.literal('1.0'),
  id: z.string().min(1).max(200),
  /** The publishing module: `/modules/orders`. */
  source: z.string().min(1).max(200),
  /** Name and version: `orders.order-placed.v1`. */
  type: z.string().min(1).max(200),
  time: z.iso.datetime(),
  datacontenttype: z.literal('application/json'),
  /** By which order is kept (the partitioning extension of CloudEvents). */
  partitionkey: z.string().max(200),
  /** For whoever follows a trace; no reason to refuse an event. */
  traceparent: z.string().max(200).optional().catch(undefined),
  data: z.record(z.string(), z.unknown()),
});

export type Envelope = z.infer<typeof envelopeSchema>;

/** An event on its way: what a bus must know of it, and its wire form. */
export interface Sealed {
  readonly id: string;
  readonly type: string;
  readonly key: string;
  readonly json: string;
}

export const maximumEventBytes = 256 * 1024;

/** Puts `data`, checked against the event's schema, into an envelope. Throws when it does not fit or is over 256 KiB. */
export function seal(event: Event, data: unknown, stamp: { id: string; time: string; traceparent?: string }): Sealed {
  const parsed = event.data.parse(data) as Record<string, unknown>;
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
  const bytes = Buffer.byteLength(json);
  if (bytes > maximumEventBytes) {
    throw new RangeError(
      `${event.type} is ${bytes} bytes, over the ${maximumEventBytes} an event may have: send a reference`,
    );
  }
  return { id: stamp.id, type: event.type, key, json };
}

/** An event that came in, as it is passed on. */
export function resealed(envelope: Envelope): Sealed {
  const { id, type, partitionkey: key } = envelope;
  return { id, type, key, json: JSON.stringify(envelope) };
}
