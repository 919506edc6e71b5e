import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { eventually, type Kerf } from '../../harness/kerf.ts';
import { type Letter, Operator } from '../../harness/operator.ts';
import { Shop } from '../../harness/shop.ts';

/** The order that a forged event claims as confirmed. */
export interface ClaimedOrder {
  readonly orderId: string;
  readonly memberId: string;
}

const known = 'orders.order-confirmed.v1';
/** An event type of a later release of orders. This release of notifications cannot know it. */
export const unknown = 'orders.order-confirmed.v9';

/** A running system in which notifications cannot handle some events of orders. */
export class Poisoned {
  readonly operator: Operator;
  readonly home: Kerf;
  readonly shop: Shop;
  readonly memberId: string;

  private constructor(home: Kerf, shop: Shop, memberId: string) {
    this.home = home;
    this.shop = shop;
    this.memberId = memberId;
    this.operator = new Operator(home);
  }

  static async in(home: Kerf): Promise<Poisoned> {
    const shop = await new Shop(home.url).join();
    const { id } = (await shop.get<{ id: string }>('/members/me')).body;
    return new Poisoned(home, shop, id);
  }

  /** Sends an event of an unknown version, together with an order. Resolves with its dead letter. */
  unknownVersion(order: ClaimedOrder): Promise<Letter> {
    const { orderId, memberId } = order;
    return this.#send(unknown, orderId, { orderId, memberId, lines: [], total: { amount: 1, currency: 'KRW' } });
  }

  /** Sends an event whose data do not match its version, together with an order. Resolves with its dead letter. */
  mismatch(orderId: string): Promise<Letter> {
    return this.#send(known, orderId, { orderId });
  }

  async #send(type: string, key: string, data: Record<string, unknown>): Promise<Letter> {
    const id = randomUUID();
    const event = { specversion: '1.0', id, source: '/modules/orders', type, time: new Date().toISOString() };
    const envelope = JSON.stringify({ ...event, datacontenttype: 'application/json', partitionkey: key, data });
    this.#data('orders', (database) =>
      database
        .prepare(
          `INSERT INTO kerf_outbox (event_id, type, recipient, key, envelope, state, attempts, next_attempt_at, created_at)
           VALUES (?, ?, 'notifications', ?, ?, 'pending', 0, 0, 0)`,
        )
        .run(id, type, key, envelope),
    );
    await this.shop.order('WAX');
    const path = `?module=notifications&key=${key}`;
    const find = async () => (await this.operator.letters(path))[0]?.id;
    return this.operator.letter(await eventually(find, `the dead letter of ${key}`));
  }

  /** Changes the dead letter's event to the known version. */
  mend({ event }: Letter): void {
    this.#data('notifications', (database) =>
      database
        .prepare('UPDATE kerf_held SET type = ?, envelope = replace(envelope, ?, ?) WHERE event_id = ?')
        .run(known, unknown, known, event.id),
    );
  }

  /** Makes orders send an event again, together with an order. Resolves after the second delivery. */
  async resend({ event }: Letter): Promise<void> {
    this.#data('orders', (database) =>
      database.prepare("UPDATE kerf_outbox SET state = 'pending' WHERE event_id = ?").run(event.id),
    );
    await this.shop.order('WAX');
    const state = () =>
      this.#data('orders', (database) =>
        database.prepare('SELECT state FROM kerf_outbox WHERE event_id = ?').pluck().get(event.id),
      );
    await eventually(async () => state() === 'delivered', 'the repeated delivery');
  }

  /** Returns the subjects of the member's messages about an order. */
  async messages(orderId: string): Promise<string[]> {
    const { body } = await this.shop.get<{ items: { subject: string }[] }>('/messages');
    return body.items.map(({ subject }) => subject).filter((subject) => subject.includes(orderId));
  }

  #data<T>(module: string, use: (database: Sqlite.Database) => T): T {
    const database = new Sqlite(join(this.home.dataDir, `${module}.db`), { timeout: 5_000 });
    try {
      return use(database);
    } finally {
      database.close();
    }
  }
}
