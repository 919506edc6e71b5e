import { sql } from 'drizzle-orm';
import { type Clock, currentContext, instantOf, newId } from '../context/index.ts';
import type { Event } from '../contract/index.ts';
import { prepared, type Unit } from '../database/index.ts';
import type { Bus } from './bus.ts';
import { encodeEvent } from './envelope.ts';
import { eventTables } from './tables.ts';

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

/** Stores a module's events, in the same unit of work as the change that they report, until the relay delivers them. */
export class Outbox {
  private readonly bus: Pick<Bus, 'recipients'>;
  private readonly clock: Clock;
  private readonly wake: (recipient: string) => void;

  constructor(bus: Pick<Bus, 'recipients'>, clock: Clock, wake: (recipient: string) => void) {
    this.bus = bus;
    this.clock = clock;
    this.wake = wake;
  }

  /** Publishes the event with the commit of `unit`, or not at all. Throws when `data` violates the event's schema or limits. */
  async publish(unit: Unit, event: Event, data: unknown): Promise<void> {
    const recipients = this.bus.recipients(event.type);
    const now = this.clock.now();
    const { id, type, key, json } = encodeEvent(event, data, {
      id: newId(),
      time: instantOf(now),
      traceparent: currentContext()?.traceparent,
    });
    for (const recipient of recipients) {
      await insert(unit).execute({ eventId: id, type, recipient, key, envelope: json, createdAt: now });
      unit.afterCommit(() => this.wake(recipient));
    }
  }
}
