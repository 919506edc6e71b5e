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

/** Where a module's events wait, written with the change they tell of. */
export class Outbox {
  private readonly bus: Pick<Bus, 'recipients'>;
  private readonly clock: Clock;
  private readonly wake: (recipient: string) => void;

  constructor(bus: Pick<Bus, 'recipients'>, clock: Clock, wake: (recipient: string) => void) {
    this.bus = bus;
    this.clock = clock;
    this.wake = wake;
  }

  /** Leaves with the commit of `unit`, or not at all. Throws when `data` does not fit the event's schema or limit. */
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
