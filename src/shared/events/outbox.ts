import { sql } from 'drizzle-orm';
import { v7 as uuid } from 'uuid';
import type { Clock } from '../clock/index.ts';
import { currentContext } from '../context/index.ts';
import type { Event } from '../contract/index.ts';
import { prepared, type Unit } from '../data/index.ts';
import type { Bus } from './bus.ts';
import { seal } from './envelope.ts';
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
  /** What tells this outbox's ids from those of another process; drawn once, since randomness costs more than the insert. */
  readonly #random = crypto.getRandomValues(new Uint8Array(16));
  #published = 0;

  constructor(
    private readonly bus: Pick<Bus, 'recipients'>,
    private readonly clock: Clock,
    private readonly wake: (recipient: string) => void,
  ) {}

  /** Leaves with the commit of `unit`, or not at all. Throws when `data` does not fit the event's schema or limit. */
  async publish(unit: Unit, event: Event, data: unknown): Promise<void> {
    const recipients = this.bus.recipients(event.type);
    const now = this.clock.now();
    const { id, type, key, json } = seal(event, data, {
      id: this.#nextId(now),
      time: new Date(now).toISOString(),
      traceparent: currentContext()?.traceparent,
    });
    for (const recipient of recipients) {
      await insert(unit).execute({ eventId: id, type, recipient, key, envelope: json, createdAt: now });
      unit.afterCommit(() => this.wake(recipient));
    }
  }

  /** A UUID of version 7: sorted by time, and within a millisecond by count. */
  #nextId(msecs: number): string {
    this.#published = (this.#published + 1) >>> 0;
    return uuid({ random: this.#random, msecs, seq: this.#published });
  }
}
