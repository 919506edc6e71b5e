import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { openSqlite } from '../../adapters/sqlite/index.ts';
import { type Clock, systemClock } from '../context/index.ts';
import { contract, event } from '../contract/index.ts';
import type { Database, Unit } from '../database/index.ts';
import { type Log, silentLog } from '../telemetry/index.ts';
import { type Bus, type Receive, type SubscriptionMap, subscriptionMap } from './bus.ts';
import { DeadLetters } from './dead-letters.ts';
import { Inbox } from './inbox.ts';
import { Outbox } from './outbox.ts';
import { Relay } from './relay.ts';
import type { Subscription } from './subscribed.ts';
import { eventMigrations, eventTables } from './tables.ts';

/** A note of any length and depth that a case needs. */
const note = z.object({
  text: z.string().optional(),
  get inner(): z.ZodOptional<typeof note> {
    return note.optional();
  },
});
const told = z.object({ customer: z.string(), n: z.int(), note: note.optional() });

export const shop = contract('shop', {
  operations: {},
  events: { sold: event('sold', 1, 'customer', told), counted: event('counted', 1, 'customer', told) },
});
const { sold, counted } = shop.events;
export type ToldEvent = z.output<typeof told>;
export type Note = z.output<typeof note>;

/** Returns a note of `levels` nested objects. */
export function nested(levels: number): Note {
  return levels === 1 ? { text: 'x' } : { inner: nested(levels - 1) };
}

export type Subscriber = 'mail' | 'stats';

/** One publishing module and two subscribing modules over the bus under test. For tests. */
export class EventScene {
  readonly effects: Record<Subscriber, ToldEvent[]> = { mail: [], stats: [] };
  readonly subscriptions: SubscriptionMap = subscriptionMap([
    { contract: { name: 'mail' }, subscriptions: [{ event: sold }] },
    { contract: { name: 'stats' }, subscriptions: [{ event: sold }, { event: counted }] },
  ]);
  /** Runs before a subscriber's effect; may throw. */
  before: (module: Subscriber, told: ToldEvent) => void | Promise<void> = () => {};
  relay!: Relay;
  readonly #folder = mkdtempSync(join(tmpdir(), 'kerf-bus-'));
  readonly #databases = new Map<string, Database>();
  readonly #inboxes = new Map<Subscriber, Inbox<Unit>>();
  #outbox!: Outbox;
  readonly #changed = new Set<() => void>();
  readonly clock: Clock;
  readonly log: Log;

  constructor(clock: Clock = systemClock, log: Log = silentLog) {
    this.clock = clock;
    this.log = log;
  }

  get publisher(): Database {
    return this.database('shop');
  }

  /** Returns a module's database: the same one for each call. */
  database(name: string): Database {
    let database = this.#databases.get(name);
    if (!database) {
      database = openSqlite(name, join(this.#folder, `${name}.db`), eventMigrations);
      this.#databases.set(name, database);
    }
    return database;
  }

  /** Starts the publisher's process on the existing data; may run again. */
  async begin(bus: Bus): Promise<void> {
    this.relay = new Relay({ module: 'shop', database: this.publisher, bus, clock: this.clock, log: this.log });
    this.#outbox = new Outbox(bus, this.clock, (recipient) => this.relay.wake(recipient));
    this.relay.start([...new Set([sold, counted].flatMap(({ type }) => bus.recipients(type)))]);
  }

  /** Starts, or restarts, the subscriber's process on the existing data. */
  async receiver(module: Subscriber, extra: readonly Subscription[] = []): Promise<Receive> {
    await this.#inboxes.get(module)?.stop();
    const database = this.database(module);
    const takes = module === 'mail' ? [sold] : [sold, counted];
    const subscriptions = [...takes.map((each) => this.#subscription(module, each)), ...extra];
    const work = <T>(task: (unit: Unit) => Promise<T>) => database.work(task);
    const inbox = new Inbox<Unit>({ module, subscriptions, database, work, clock: this.clock, log: this.log });
    this.#inboxes.set(module, inbox);
    await inbox.start();
    return (event, exhausted) => inbox.receive(event, exhausted);
  }

  deadLetters(module: Subscriber | 'shop'): DeadLetters {
    const wake = (recipient?: string) =>
      recipient ? this.relay.wake(recipient) : this.#inboxes.get(module as Subscriber)?.wake();
    return new DeadLetters({ database: this.database(module), clock: this.clock, wake });
  }

  /** Records an effect and runs the checks of `until`. */
  took(module: Subscriber, what: ToldEvent): void {
    this.effects[module].push(what);
    for (const check of this.#changed) check();
  }

  async publish(...events: ToldEvent[]): Promise<void> {
    await this.publishAs(sold, ...events);
  }

  async publishAs(type: typeof sold | typeof counted, ...events: ToldEvent[]): Promise<void> {
    await this.publisher.work(async (unit) => {
      for (const each of events) await this.#outbox.publish(unit, type, each);
    });
  }

  /** Resolves as soon as `done` holds. Checks it after every effect. */
  until(done: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const check = () => {
        if (!done()) return;
        this.#changed.delete(check);
        resolve();
      };
      this.#changed.add(check);
      check();
    });
  }

  async rows(recipient: string) {
    const { outbox } = eventTables(this.publisher);
    const rows = await this.publisher.db.select().from(outbox);
    return rows.filter((row) => row.recipient === recipient);
  }

  async retryQueue(module: Subscriber) {
    const database = this.database(module);
    return database.db.select().from(eventTables(database).retryQueue);
  }

  async close(): Promise<void> {
    await this.relay?.stop();
    await Promise.all([...this.#inboxes.values()].map((inbox) => inbox.stop()));
    await Promise.all([...this.#databases.values()].map((database) => database.close()));
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #subscription(module: Subscriber, event: typeof sold | typeof counted): Subscription {
    return {
      event,
      handle: async (what: ToldEvent, unit) => {
        await this.before(module, what);
        unit.afterCommit(() => this.took(module, what));
      },
    };
  }
}
