import { sql } from 'drizzle-orm';
import type { StepOf } from '../../calls/index.ts';
import { prepared, type Unit } from '../../database/index.ts';
import type { EncodedEvent } from '../envelope.ts';
import { eventTables } from '../tables.ts';

/** An event on its way into the outbox, for one recipient. */
export interface PublishedEvent {
  readonly unit: Unit;
  readonly encoded: EncodedEvent;
  readonly recipient: string;
  /** Milliseconds since 1970. */
  readonly at: number;
}

type PublishStep = StepOf<PublishedEvent>;

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

/** Stores the event in the commit of its unit of work, or not at all. */
export const storeInOutbox = (): PublishStep => async (event, next) => {
  const { unit, encoded, recipient, at } = event;
  const { id, type, key, json } = encoded;
  await insert(unit).execute({ eventId: id, type, recipient, key, envelope: json, createdAt: at });
  await next(event);
};

/** Wakes the relay after the commit, so that the event leaves at once. The last step of its part. */
export const wakeRelay =
  ({ wake }: { readonly wake: (recipient: string) => void }): PublishStep =>
  async ({ unit, recipient }) => {
    unit.afterCommit(() => wake(recipient));
  };
