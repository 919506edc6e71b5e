import { and, asc, between, eq, sql } from 'drizzle-orm';
import { Alarm, background, type Clock, crashPoint } from '../context/index.ts';
import { type Database, prepared, type Unit } from '../database/index.ts';
import { messageOf } from '../errors/index.ts';
import type { FailureLog, Log } from '../telemetry/index.ts';
import { afterFailure, isClosed, isDue, latestAttemptAt, withIncident } from './attempts.ts';
import type { Envelope } from './envelope.ts';
import type { InOrder } from './in-order.ts';
import { asNotTaken, type Effect, type NotTaken } from './subscribed.ts';
import { eventTables, type RetryQueueRow, unreadable } from './tables.ts';

const portion = 256;
const neverTried = { attempts: 0, history: [] };
const behind = { state: 'pending' as const, nextAttemptAt: 0, ...neverTried };

const firstOf = prepared((reader) => {
  const { retryQueue } = eventTables(reader);
  return reader.db
    .select()
    .from(retryQueue)
    .where(and(eq(retryQueue.key, sql.placeholder('key')), sql`${retryQueue.state} in ('pending', 'failed')`))
    .orderBy(asc(retryQueue.seq))
    .limit(1)
    .prepare();
});

/** Finds the keys whose first event is due between `from` and `until`. */
const timed = prepared((reader) => {
  const { retryQueue } = eventTables(reader);
  const at = retryQueue.nextAttemptAt;
  return reader.db
    .select({ key: retryQueue.key, at })
    .from(retryQueue)
    .where(and(sql`${retryQueue.state} = 'failed'`, between(at, sql.placeholder('from'), sql.placeholder('until'))))
    .orderBy(asc(at))
    .limit(sql.placeholder('limit'))
    .prepare();
});

type Told = Pick<RetryQueueRow, 'eventId' | 'type' | 'state' | 'nextAttemptAt'>;

interface RetryQueueDependencies<U extends Unit> {
  module: string;
  database: Database;
  work: <T>(task: (unit: U) => Promise<T>) => Promise<T>;
  clock: Clock;
  log: Log;
  failures: FailureLog;
}

/**
 * Retries the events that a module could not handle, in order per key and with growing delays, until they are handled or dead. The
 * first event of a key has a due time: its state is `failed`, even before its own first attempt. The events behind it have none: their state
 * is `pending`. The unit of work that completes the first event gives the next one a due time.
 */
export class RetryQueue<U extends Unit> {
  readonly #parts: RetryQueueDependencies<U>;
  readonly #inOrder: InOrder;
  /** The rest of the road of an event, in the unit of work of its effect. */
  readonly #effect: (effect: Effect<U>) => Promise<void>;
  #looking: Promise<void> = Promise.resolve();
  #stopped = true;
  readonly #alarm: Alarm;

  constructor(parts: RetryQueueDependencies<U>, inOrder: InOrder, effect: (effect: Effect<U>) => Promise<void>) {
    this.#parts = parts;
    this.#inOrder = inOrder;
    this.#effect = effect;
    this.#alarm = new Alarm(parts.clock, () => this.wake());
  }

  async start(): Promise<void> {
    this.#stopped = false;
    this.wake();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#alarm.off();
    await this.#looking;
    await this.#inOrder.idle();
  }

  /** Adds an event that the module did not take, or that must wait behind another event of its key. */
  async add(unit: Unit, envelope: Envelope, now: number, failure?: NotTaken): Promise<void> {
    const tried = failure ? afterFailure(neverTried, failure.reason, now) : behind;
    const { id: eventId, type, partitionkey: key } = envelope;
    const { retryQueue } = eventTables(unit);
    await unit.db
      .insert(retryQueue)
      .values({ eventId, type, key, envelope: JSON.stringify(envelope), receivedAt: now, ...tried });
    if (failure) unit.afterCommit(() => this.#tell({ eventId, type, ...tried }, failure));
  }

  /** Records one more failure of the event, if it waits for its next attempt. */
  async failed(unit: Unit, eventId: string, failure: NotTaken): Promise<void> {
    const { retryQueue } = eventTables(unit);
    const [row] = await unit.db
      .select()
      .from(retryQueue)
      .where(and(sql`${retryQueue.state} = 'failed'`, eq(retryQueue.eventId, eventId)));
    if (row) await this.#record(unit, row, failure);
  }

  /** Keeps a message that is not an event as a dead letter, as received, for an operator. */
  async addUnreadable(unit: Unit, eventId: string, envelope: string, why: string, now: number): Promise<void> {
    const dead = { state: 'dead' as const, attempts: 1, nextAttemptAt: 0, lastError: why, settledAt: now };
    const { retryQueue } = eventTables(unit);
    await unit.db.insert(retryQueue).values({
      ...{ eventId, type: unreadable, key: eventId, envelope, receivedAt: now },
      ...{ ...dead, history: [{ at: now, what: 'dead' as const, why }] },
    });
    unit.afterCommit(() => this.#tellDead(unreadable, why));
  }

  /** Looks for due events and retries them. */
  wake(): void {
    this.#alarm.off();
    if (this.#stopped) return;
    this.#looking = background.run(() => this.#lookNext());
  }

  async #lookNext(): Promise<void> {
    await this.#looking;
    try {
      await this.#look();
    } catch (error) {
      if (this.#stopped) return;
      const { module, failures, clock } = this.#parts;
      failures.add({ message: 'the retry queue could not be worked off; trying again', error, fields: { module } });
      this.#wakeAt(clock.now() + 1_000);
    }
  }

  async #look(): Promise<void> {
    if (this.#stopped) return;
    const now = this.#parts.clock.now();
    const { keys, nextAt = Number.POSITIVE_INFINITY } = await this.#due(now);
    const moved = await Promise.all(keys.map((key) => this.#inOrder.run(key, () => this.#retry(key))));
    if (moved.includes(true)) this.wake();
    else this.#wakeAt(keys.length > 0 ? Math.min(nextAt, now + 1_000) : nextAt);
  }

  /**
   * Returns the due keys, and when the next key falls due (undefined when none waits). Takes a separate portion of the keys with
   * a due time from a wrong clock, so that they do not wait behind the other keys.
   */
  async #due(now: number): Promise<{ keys: string[]; nextAt: number | undefined }> {
    const query = timed(this.#parts.database);
    const first = (from: number, until: number, limit: number) => query.execute({ from, until, limit });
    const latest = latestAttemptAt(now);
    const due = [
      ...(await first(Number.MIN_SAFE_INTEGER, now, portion)),
      ...(await first(latest + 1, Number.MAX_SAFE_INTEGER, portion)),
    ];
    const [next] = await first(now + 1, latest, 1);
    return { keys: [...new Set(due.map(({ key }) => key))], nextAt: next?.at };
  }

  /** Retries the events of one key in order, up to the first one that fails again. Returns whether any event was taken or is dead. */
  async #retry(key: string): Promise<boolean> {
    const { database, clock } = this.#parts;
    for (let moved = false; ; moved = true) {
      const [row] = this.#stopped ? [] : await firstOf(database).execute({ key });
      if (!row || !isDue(row.nextAttemptAt, clock.now()) || !(await this.#attempt(row))) return moved;
    }
  }

  /** Retries one event. Returns whether it was taken or is dead. */
  async #attempt(row: RetryQueueRow): Promise<boolean> {
    const { work, clock, module } = this.#parts;
    const attempt = work(async (unit) => {
      if (this.#stopped) return false;
      const now = clock.now();
      const history = withIncident(row.history, { at: now, what: 'delivered' });
      if (await this.#change(unit, row, { state: 'delivered', settledAt: now, history }))
        await this.#effect({ envelope: JSON.parse(row.envelope) as Envelope, unit });
      return true;
    });
    const settled = await attempt.catch((error: unknown) => {
      const failure = asNotTaken(error);
      if (!failure) throw error;
      return work((unit) => this.#record(unit, row, failure));
    });
    crashPoint('inbox', module, row.type, 'tried again');
    return settled;
  }

  /** Records a failed attempt. Returns whether the event is dead. */
  async #record(unit: Unit, row: RetryQueueRow, failure: NotTaken): Promise<boolean> {
    const after = afterFailure(row, failure.reason, this.#parts.clock.now());
    await this.#change(unit, row, after);
    unit.afterCommit(() => this.#tell({ ...row, ...after }, failure));
    return after.state === 'dead';
  }

  #tell({ eventId: id, type, state, nextAttemptAt }: Told, { reason: error }: NotTaken): void {
    const { module, failures } = this.#parts;
    failures.add({
      message: 'an event was not taken',
      error,
      level: isClosed(error) ? 'warn' : 'error',
      kind: type,
      fields: { module, type, id },
    });
    if (state === 'dead') this.#tellDead(type, messageOf(error));
    else this.#wakeAt(nextAttemptAt);
  }

  /**
   * Changes the row, and makes the next event of its key due when this one is complete. Returns `false`, and changes nothing,
   * when another unit of work has changed the row since it was read.
   */
  async #change(unit: Unit, row: RetryQueueRow, values: Partial<RetryQueueRow>): Promise<boolean> {
    const { retryQueue } = eventTables(unit);
    const unchanged = and(
      eq(retryQueue.seq, row.seq),
      eq(retryQueue.state, row.state),
      eq(retryQueue.attempts, row.attempts),
    );
    const changed = await unit.db.update(retryQueue).set(values).where(unchanged).returning({ seq: retryQueue.seq });
    if (changed.length === 0) return false;
    const [next] = values.state === 'failed' ? [] : await firstOf(unit).execute({ key: row.key });
    if (next?.state === 'pending') {
      const first = { state: 'failed' as const, nextAttemptAt: this.#parts.clock.now() };
      await unit.db.update(retryQueue).set(first).where(eq(retryQueue.seq, next.seq));
    }
    return true;
  }

  #wakeAt(at: number): void {
    if (!this.#stopped) this.#alarm.set(at - this.#parts.clock.now());
  }

  #tellDead(type: string, lastError: string): void {
    this.#parts.log.error({ type, recipient: this.#parts.module, lastError }, 'an event became a dead letter');
  }
}
