import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type Clock, systemClock } from '../clock/index.ts';
import { contract, event } from '../contract/index.ts';
import { type Database, openSqlite, type Unit } from '../data/index.ts';
import { refusal } from '../errors/index.ts';
import { silentLog } from '../observability/index.ts';
import { type Bus, type Receive, type SubscriptionMap, subscriptionMap } from './bus.ts';
import { Inbox, type Subscription } from './inbox.ts';
import { Outbox } from './outbox.ts';
import { Relay } from './relay.ts';
import { eventMigrations, eventTables } from './tables.ts';

export const shop = contract('shop', {
  operations: {},
  events: { sold: event('sold', 1, 'customer', z.object({ customer: z.string(), n: z.int() })) },
});
const { sold } = shop.events;
type Sold = { customer: string; n: number };

/** A module's side that publishes, and the sides of two that subscribe, over the bus under test. */
export class Scene {
  readonly effects: Record<'mail' | 'stats', Sold[]> = { mail: [], stats: [] };
  readonly databases: Database[] = [];
  readonly publisher: Database;
  readonly subscriptions: SubscriptionMap = subscriptionMap([
    { name: 'mail', subscribesTo: [sold] },
    { name: 'stats', subscribesTo: [sold] },
  ]);
  /** What a subscriber does before its effect; may throw. */
  before: (module: 'mail' | 'stats', told: Sold) => void | Promise<void> = () => {};
  relay!: Relay;
  #outbox!: Outbox;
  readonly #changed = new Set<() => void>();

  constructor(readonly clock: Clock = systemClock) {
    this.publisher = this.#open('shop');
  }

  begin(bus: Bus): void {
    this.relay = new Relay(this.publisher, bus, this.clock, silentLog);
    this.#outbox = new Outbox(bus, this.clock, (recipient) => this.relay.wake(recipient));
  }

  receiver(module: 'mail' | 'stats', extra: readonly Subscription[] = []): Receive {
    const database = this.#open(module);
    const subscription: Subscription = {
      event: sold,
      handle: async (told: Sold, unit) => {
        await this.before(module, told);
        unit.afterCommit(() => this.took(module, told));
      },
    };
    const inbox = new Inbox<Unit>(module, [subscription, ...extra], (task) => database.work(task), this.clock);
    return (envelope) => inbox.receive(envelope);
  }

  /** Notes an effect, and looks whether that is what somebody waits for. */
  took(module: 'mail' | 'stats', told: Sold): void {
    this.effects[module].push(told);
    for (const check of this.#changed) check();
  }

  async publish(...events: Sold[]): Promise<void> {
    await this.publisher.work(async (unit) => {
      for (const each of events) await this.#outbox.publish(unit, sold, each);
    });
  }

  /** Resolves as soon as `done` holds, looked at after every effect. */
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

  async close(): Promise<void> {
    await this.relay.stop();
    await Promise.all(this.databases.map((database) => database.close()));
  }

  #open(name: string): Database {
    const file = join(mkdtempSync(join(tmpdir(), 'kerf-bus-')), `${name}.db`);
    const database = openSqlite(name, file, eventMigrations);
    this.databases.push(database);
    return database;
  }
}

export interface OpenBus {
  bus: Bus;
  /** Makes `receive` the subscriber called `module`, in whatever way this bus reaches it. */
  attach(module: string, receive: Receive): Promise<void>;
  detach(module: string): Promise<void>;
  close(): Promise<void>;
}

/** What every bus must do. */
export function busCases(name: string, open: (subscriptions: SubscriptionMap) => Promise<OpenBus>): void {
  describe(`the bus ${name}`, () => {
    let scene: Scene;
    let opened: OpenBus;
    const start = async () => {
      scene = new Scene();
      opened = await open(scene.subscriptions);
      scene.begin(opened.bus);
      await opened.attach('mail', scene.receiver('mail'));
      await opened.attach('stats', scene.receiver('stats'));
    };
    afterEach(async () => {
      await scene.close();
      await opened.close();
    });

    it('brings every event to every subscriber, once in effect, in order per key', async () => {
      await start();
      const told = Array.from({ length: 300 }, (_, n) => ({ customer: `c${n % 7}`, n }));
      for (let from = 0; from < told.length; from += 50) await scene.publish(...told.slice(from, from + 50));
      await scene.until(() => scene.effects.mail.length >= 300 && scene.effects.stats.length >= 300);
      for (const effects of Object.values(scene.effects)) {
        expect(effects).toHaveLength(300);
        for (let key = 0; key < 7; key++) {
          expect(effects.filter(({ customer }) => customer === `c${key}`)).toEqual(
            told.filter(({ customer }) => customer === `c${key}`),
          );
        }
      }
    });

    it('takes an event that comes again without doing it again', async () => {
      await start();
      await scene.publish({ customer: 'a', n: 1 });
      await scene.until(() => scene.effects.mail.length === 1);
      const [row] = await scene.rows('mail');
      await opened.bus.deliver('mail', JSON.parse(row!.envelope));
      await opened.bus.deliver('mail', JSON.parse(row!.envelope));
      expect(scene.effects.mail).toEqual([{ customer: 'a', n: 1 }]);
    });

    it('lets a subscriber that fails hold back its own key only, and nobody else', async () => {
      await start();
      let failures = 0;
      scene.before = (module, { customer, n }) => {
        if (module === 'mail' && customer === 'bad' && n === 1 && failures++ < 3) throw new Error('not now');
      };
      await scene.publish({ customer: 'bad', n: 1 }, { customer: 'bad', n: 2 }, { customer: 'good', n: 3 });
      await scene.until(() => scene.effects.mail.length === 3 && scene.effects.stats.length === 3);
      expect(scene.effects.mail.map(({ n }) => n)).toEqual([3, 1, 2]);
      expect(scene.effects.stats.map(({ n }) => n).sort()).toEqual([1, 2, 3]);
    });

    it('keeps events for a subscriber that is away until it is back', async () => {
      await start();
      await opened.detach('stats');
      await scene.publish({ customer: 'a', n: 1 }, { customer: 'b', n: 2 });
      await scene.until(() => scene.effects.mail.length === 2);
      expect(scene.effects.stats).toEqual([]);
      await opened.attach('stats', scene.receiver('stats'));
      scene.relay.wake('stats');
      await scene.until(() => scene.effects.stats.length === 2);
    });

    it('puts aside what a subscriber can never take, with the reason, and goes on', async () => {
      await start();
      await opened.detach('mail');
      await opened.attach('mail', async (envelope) => {
        if (envelope.data.n === 1) throw refusal('invalid-input', 'mail does not know this version');
        scene.took('mail', envelope.data as Sold);
      });
      await scene.publish({ customer: 'a', n: 1 }, { customer: 'a', n: 2 });
      await scene.until(() => scene.effects.stats.length === 2 && scene.effects.mail.length === 1);
      await scene.relay.stop();
      const rows = await scene.rows('mail');
      expect(rows.map(({ state, lastError }) => [state, lastError])).toEqual([
        ['dead', 'mail does not know this version'],
        ['delivered', null],
      ]);
    });
  });
}
