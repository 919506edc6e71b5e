import { eq, sql } from 'drizzle-orm';
import type { Clock } from '../clock/index.ts';
import { type Event, parseInput } from '../contract/index.ts';
import { prepared, type Unit } from '../data/index.ts';
import { refusal } from '../errors/index.ts';
import type { Envelope } from './envelope.ts';
import { eventTables } from './tables.ts';

/** What a module does about one event, in a unit of its own database. */
export interface Subscription<U extends Unit = Unit> {
  readonly event: Event;
  readonly handle: (data: never, unit: U) => Promise<void>;
}

const seen = prepared((reader) => {
  const { inbox } = eventTables(reader);
  return reader.db
    .select({ id: inbox.eventId })
    .from(inbox)
    .where(eq(inbox.eventId, sql.placeholder('id')))
    .prepare();
});

const remember = prepared((unit) =>
  unit.db
    .insert(eventTables(unit).inbox)
    .values({ eventId: sql.placeholder('id'), receivedAt: sql.placeholder('at') })
    .prepare(),
);

/** Makes each event happen once: its id is written down in the same unit as its effect. */
export class Inbox<U extends Unit> {
  readonly #byType = new Map<string, Subscription<U>[]>();

  constructor(
    private readonly module: string,
    subscriptions: readonly Subscription<U>[],
    private readonly work: (task: (unit: U) => Promise<void>) => Promise<void>,
    private readonly clock: Clock,
  ) {
    for (const subscription of subscriptions) {
      const { type } = subscription.event;
      this.#byType.set(type, [...(this.#byType.get(type) ?? []), subscription]);
    }
  }

  /** Resolves when the effect is on disk, now or from an earlier delivery. Refuses what it can never take. */
  async receive(envelope: Envelope): Promise<void> {
    const subscriptions = this.#byType.get(envelope.type);
    if (!subscriptions) {
      const known = [...this.#byType.keys()].join(', ') || 'none';
      throw refusal('invalid-input', `${this.module} does not know ${envelope.type}; it knows ${known}`);
    }
    await this.work(async (unit) => {
      if ((await seen(unit).execute({ id: envelope.id })).length > 0) return;
      await remember(unit).execute({ id: envelope.id, at: this.clock.now() });
      for (const { event, handle } of subscriptions) {
        await handle(parseInput(event.data, envelope.data) as never, unit);
      }
    });
  }
}
