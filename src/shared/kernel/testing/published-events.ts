import type { z } from 'zod';
import type { Event } from '../contract/index.ts';
import type { Database } from '../database/index.ts';
import type { Bus } from '../events/index.ts';

/** Delivers nothing, so that every event stays in the outbox, where `PublishedEvents` finds it. */
export const outboxOnly: Bus = {
  recipients: () => ['test'],
  deliver: async () => {},
  subscribe: async () => async () => {},
  backlog: async () => 0,
  close: async () => {},
};

/** The events in the outbox of a module under test. */
export class PublishedEvents {
  readonly #events: { readonly type: string; readonly data: unknown }[] = [];
  #lastSeq = 0;
  private readonly database: Database;

  constructor(database: Database) {
    this.database = database;
  }

  /** Reads the events that were committed since the last time. */
  async read(): Promise<void> {
    const rows = (await this.database.db.all(
      `SELECT seq, type, envelope FROM kerf_outbox WHERE seq > ${this.#lastSeq} ORDER BY seq`,
    )) as { seq: number; type: string; envelope: string }[];
    for (const { seq, type, envelope } of rows) {
      this.#lastSeq = seq;
      this.#events.push({ type, data: JSON.parse(envelope).data });
    }
  }

  /** Reads the events that were committed before the test began, and leaves them out. */
  async skip(): Promise<void> {
    await this.read();
    this.#events.length = 0;
  }

  of<E extends Event>({ type }: E): z.output<E['data']>[] {
    return this.#events.filter((each) => each.type === type).map(({ data }) => data as z.output<E['data']>);
  }
}
