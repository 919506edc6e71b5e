import type { Context } from '@opentelemetry/api';
import { sql } from 'drizzle-orm';
import type { StepOf } from '../../calls/index.ts';
import { instantOf, newId } from '../../context/index.ts';
import type { Event } from '../../contract/index.ts';
import { prepared, type Unit } from '../../database/index.ts';
import { toTraceFields } from '../../telemetry/index.ts';
import { encodeEvent } from '../envelope.ts';
import { eventTables } from '../tables.ts';

/** An event that a module publishes, on its way into the outbox. */
export interface PublishedEvent {
  readonly unit: Unit;
  readonly event: Event;
  readonly data: unknown;
  readonly recipients: readonly string[];
  /** Milliseconds since 1970. */
  readonly at: number;
  /** The trace of the publisher. */
  readonly trace: Context | undefined;
}

export type PublishStep = StepOf<PublishedEvent>;

const { placeholder } = sql;

const insert = prepared((unit) =>
  unit.db
    .insert(eventTables(unit).outbox)
    .values({
      eventId: placeholder('eventId'),
      type: placeholder('type'),
      recipient: placeholder('recipient'),
      key: placeholder('key'),
      envelope: placeholder('envelope'),
      state: 'pending',
      attempts: 0,
      nextAttemptAt: 0,
      createdAt: placeholder('createdAt'),
    })
    .prepare(),
);

/** Encodes the event, and stores it for each recipient in the commit of its unit of work, or not at all. */
export const storeInOutbox = (): PublishStep => async (published, next) => {
  const { unit, event, data, recipients, at, trace } = published;
  const encoded = encodeEvent(event, data, { id: newId(), time: instantOf(at), ...toTraceFields(trace) });
  const { id, type, key, json } = encoded;
  for (const recipient of recipients)
    await insert(unit).execute({ eventId: id, type, recipient, key, envelope: json, createdAt: at });
  await next(published);
};

/**
 * Wakes the relay after the commit. In the leader, the event leaves at once; from another process of the module, the leader finds it within 100 ms.
 * The last step of its part.
 */
export const wakeRelay =
  ({ wake }: { readonly wake: (recipient: string) => void }): PublishStep =>
  async ({ unit, recipients }) => {
    if (recipients.length > 0) unit.afterCommit(() => recipients.forEach(wake));
  };
