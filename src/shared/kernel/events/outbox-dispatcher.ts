import { and, eq, gt, sql } from 'drizzle-orm';
import { composeSteps } from '../calls/index.ts';
import { background, type Cancel, type Clock, crashPoint } from '../context/index.ts';
import { type Database, prepared } from '../database/index.ts';
import { messageOf } from '../errors/index.ts';
import { FailureLog, type KernelListener, type Log } from '../telemetry/index.ts';
import { afterFailure, isClosed, redeliveryDelayMs } from './attempts.ts';
import type { Bus } from './bus.ts';
import type { EncodedEvent } from './envelope.ts';
import { eventRoad } from './road.ts';
import type { Delivery } from './steps/deliver.ts';
import { eventTables, type OutboxRow } from './tables.ts';

const batchRows = 256;
const batchCharacters = 256 * 1024;

const openRows = prepared((reader) => {
  const { outbox } = eventTables(reader);
  const { seq, eventId, type, key, envelope, attempts, history } = outbox;
  return reader.db
    .select({ seq, eventId, type, key, envelope, attempts, history })
    .from(outbox)
    .where(
      and(
        eq(outbox.recipient, sql.placeholder('recipient')),
        sql`${outbox.state} in ('pending', 'failed')`,
        gt(outbox.seq, sql.placeholder('after')),
      ),
    )
    .orderBy(outbox.seq)
    .limit(sql.placeholder('rows'))
    .prepare();
});

/** Marks any number of rows as delivered, in one statement. */
const settle = prepared((unit) => {
  const { outbox } = eventTables(unit);
  return unit.db
    .update(outbox)
    .set({ state: 'delivered', settledAt: sql`${sql.placeholder('at')}` })
    .where(sql`${outbox.seq} in (select value from json_each(${sql.placeholder('seqs')}))`)
    .prepare();
});

type OpenRow = Pick<OutboxRow, 'seq' | 'eventId' | 'type' | 'key' | 'envelope' | 'attempts' | 'history'>;

export interface OutboxDispatcherDependencies {
  readonly module: string;
  readonly database: Database;
  readonly bus: Pick<Bus, 'deliver'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly listener?: KernelListener | undefined;
}

/**
 * Delivers the open events of one recipient in order, in batches. While the recipient is closed, the dispatcher retries with one
 * event and neither reads nor writes the others, however many wait. When the recipient refuses a batch, the dispatcher halves it
 * to find the event that caused the refusal. On average, this sends no event more than twice.
 */
export class OutboxDispatcher {
  #running: Promise<void> | undefined;
  #again = false;
  /** The recipient became reachable during this pass. A delivery that fails in this pass may have started before that. */
  #isBack = false;
  #stopped = false;
  /** Cancels the wait for the next attempt. */
  #cancelWait: Cancel | undefined;
  readonly #failed: FailureLog;
  readonly #walk: (delivery: Delivery) => Promise<void>;
  #failures = 0;
  #toldThatTheyWait = false;
  #rows = batchRows;
  /** Number of next rows that the recipient refused together: at least one of them caused the refusal. */
  #suspects = 0;
  private readonly recipient: string;
  private readonly parts: OutboxDispatcherDependencies;

  constructor(recipient: string, parts: OutboxDispatcherDependencies) {
    this.recipient = recipient;
    this.parts = parts;
    this.#failed = new FailureLog(parts.log, parts.clock);
    this.#walk = composeSteps(eventRoad.dispatch, parts);
  }

  /** Tells the dispatcher that a new event waits. */
  wake(): void {
    this.#again = true;
    if (this.#stopped || this.#running || this.#cancelWait) return;
    this.#running = background
      .run(() => this.#run())
      .finally(() => {
        this.#running = undefined;
        if (this.#again) this.wake();
      });
  }

  /** Ends any wait and dispatches at once, for example when the recipient is reachable again. */
  retryNow(): void {
    this.#cancelWait?.();
    this.#cancelWait = undefined;
    this.#isBack = true;
    this.wake();
  }

  /** Starts no further delivery; resolves when the delivery in flight is complete and recorded. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancelWait?.();
    await this.#running;
  }

  async #run(): Promise<void> {
    while (this.#again && !this.#stopped && !this.#cancelWait) {
      this.#again = false;
      this.#isBack = false;
      try {
        await this.#dispatchPending();
      } catch (error) {
        const { recipient } = this;
        const message = 'the outbox could not be read or settled; trying again';
        this.#failed.add({ message, error, fields: { recipient } });
        this.#wait(1_000);
      }
    }
  }

  /** Dispatches all open events once, oldest first. Records a batch as delivered while the next batch is in flight. */
  async #dispatchPending(): Promise<void> {
    const { database } = this.parts;
    const { recipient } = this;
    let settling: Promise<void> = Promise.resolve();
    let after = 0;
    try {
      while (!this.#stopped) {
        const asked = this.#rows;
        const rows = await openRows(database).execute({ recipient, after, rows: asked });
        const batch = firstBatch(rows);
        if (batch.length === 0) break;
        const refused = await this.#walk({ recipient, events: batch.map(encoded) }).then(
          () => undefined,
          (error: unknown) => ({ error }),
        );
        if (refused) {
          if (await this.#hasClosed(batch, refused.error)) break;
          continue;
        }
        crashPoint('relay', recipient, batch.at(-1)!.type, 'delivered');
        this.#opened(batch.length);
        await settling;
        settling = this.#settle(batch);
        settling.catch(() => {});
        after = batch.at(-1)!.seq;
        if (rows.length < asked && batch.length === rows.length) break;
      }
    } finally {
      await settling;
    }
  }

  /** Marks exactly the delivered rows: an operator may have replayed a row between them meanwhile. */
  async #settle(batch: readonly OpenRow[]): Promise<void> {
    const { database, clock } = this.parts;
    const seqs = JSON.stringify(batch.map(({ seq }) => seq));
    const at = clock.now();
    await database.work(async (unit) => void (await settle(unit).execute({ seqs, at })));
  }

  /** Records a success and sets the size of the next batch: half of the suspects, or without suspects twice the previous size. */
  #opened(delivered: number): void {
    if (this.#toldThatTheyWait) this.parts.log.info({ recipient: this.recipient }, 'events are delivered again');
    this.#toldThatTheyWait = false;
    this.#failures = 0;
    this.#suspects = Math.max(0, this.#suspects - delivered);
    this.#rows = this.#suspects > 0 ? Math.ceil(this.#suspects / 2) : Math.min(batchRows, this.#rows * 2);
  }

  /** Decides whether a refusal concerns the recipient or one event. Returns whether to stop for now. */
  async #hasClosed(batch: readonly OpenRow[], error: unknown): Promise<boolean> {
    if (!isClosed(error) && batch.length > 1) {
      this.#suspects = batch.length;
      this.#rows = Math.ceil(batch.length / 2);
      return false;
    }
    this.#failures += 1;
    this.#rows = 1;
    this.#suspects = 0;
    if (!isClosed(error) && (await this.#note(batch[0]!, error))) return false;
    this.#tellThatTheyWait(error);
    this.#wait(redeliveryDelayMs(this.#failures, error));
    return true;
  }

  #tellThatTheyWait(error: unknown): void {
    if (this.#toldThatTheyWait) return;
    this.#toldThatTheyWait = true;
    const { recipient } = this;
    const why = messageOf(error);
    this.parts.log.warn({ recipient, why, error }, 'events wait: they cannot be delivered');
  }

  /** Records the failure of an event. Returns whether the event is now dead and no longer blocks the next ones. */
  async #note(row: OpenRow, error: unknown): Promise<boolean> {
    const { database, clock, log } = this.parts;
    const after = afterFailure(row, error, clock.now());
    const { outbox } = eventTables(database);
    await database.work(async (unit) => {
      await unit.db
        .update(outbox)
        .set(after)
        .where(and(eq(outbox.seq, row.seq), sql`${outbox.state} in ('pending', 'failed')`));
    });
    if (after.state !== 'dead') return false;
    log.error(
      { type: row.type, recipient: this.recipient, lastError: after.lastError },
      'an event became a dead letter',
    );
    return true;
  }

  #wait(delayMs: number): void {
    this.#again = true;
    if (this.#stopped || this.#isBack) return;
    this.#cancelWait = this.parts.clock.after(delayMs, () => this.retryNow());
  }
}

function encoded({ eventId: id, type, key, envelope: json }: OpenRow): EncodedEvent {
  return { id, type, key, json };
}

/** Returns as many rows as one delivery may carry; at least one. */
function firstBatch(rows: readonly OpenRow[]): readonly OpenRow[] {
  let characters = 0;
  const end = rows.findIndex(({ envelope }) => {
    characters += envelope.length;
    return characters > batchCharacters;
  });
  return end < 0 ? rows : rows.slice(0, Math.max(1, end));
}
