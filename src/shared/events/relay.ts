import { and, eq, gt, sql } from 'drizzle-orm';
import type { Clock } from '../clock/index.ts';
import { type Database, prepared } from '../data/index.ts';
import { isRefusal } from '../errors/index.ts';
import type { Log } from '../observability/index.ts';
import type { Bus } from './bus.ts';
import type { Envelope } from './envelope.ts';
import { eventTables } from './tables.ts';

const batch = 256;
const attemptLimit = 12;

const openRows = prepared((reader) => {
  const { outbox } = eventTables(reader);
  return reader.db
    .select()
    .from(outbox)
    .where(
      and(
        eq(outbox.recipient, sql.placeholder('recipient')),
        sql`${outbox.state} in ('pending', 'failed')`,
        gt(outbox.seq, sql.placeholder('after')),
      ),
    )
    .orderBy(outbox.seq)
    .limit(batch)
    .prepare();
});

const delivered = prepared((unit) => {
  const { outbox } = eventTables(unit);
  return unit.db
    .update(outbox)
    .set({ state: 'delivered', settledAt: sql`${sql.placeholder('now')}` })
    .where(eq(outbox.seq, sql.placeholder('seq')))
    .prepare();
});

type Row = Awaited<ReturnType<ReturnType<typeof openRows>['execute']>>[number];
type Outcome = { row: Row; error?: unknown };

/** Hands a module's outbox to the bus, in order per key; a key that fails is held back alone and tried again later. */
export class Relay {
  readonly #lanes = new Map<string, Lane>();
  #stopped = false;

  constructor(
    private readonly database: Database,
    private readonly bus: Pick<Bus, 'deliver'>,
    private readonly clock: Clock,
    private readonly log: Log,
  ) {}

  /** Takes up what an earlier run left. */
  async start(): Promise<void> {
    const { outbox } = eventTables(this.database);
    const left = await this.database.db
      .selectDistinct({ recipient: outbox.recipient })
      .from(outbox)
      .where(sql`${outbox.state} in ('pending', 'failed')`);
    for (const { recipient } of left) this.wake(recipient);
  }

  /** `recipient` can be reached again: what waits for it need wait no longer. */
  reached(recipient: string): void {
    this.#lanes.get(recipient)?.hurry();
  }

  /** There is something new for `recipient`. */
  wake(recipient: string): void {
    if (this.#stopped) return;
    let lane = this.#lanes.get(recipient);
    if (!lane) {
      lane = new Lane(recipient, this.database, this.bus, this.clock, this.log);
      this.#lanes.set(recipient, lane);
    }
    lane.wake();
  }

  /** Begins nothing more; resolves when what was under way is settled. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all([...this.#lanes.values()].map((lane) => lane.stop()));
  }
}

/** The way to one recipient. */
class Lane {
  #running: Promise<void> | undefined;
  #again = false;
  #stopped = false;
  #hurried = false;
  #cancelRetry = () => {};

  constructor(
    private readonly recipient: string,
    private readonly database: Database,
    private readonly bus: Pick<Bus, 'deliver'>,
    private readonly clock: Clock,
    private readonly log: Log,
  ) {}

  wake(): void {
    if (this.#stopped) return;
    this.#again = true;
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
      if (this.#again) this.wake();
    });
  }

  /** Tries all that is open at once, whatever was to be waited for. */
  hurry(): void {
    this.#hurried = true;
    this.wake();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#again = false;
    this.#cancelRetry();
    await this.#running;
  }

  async #run(): Promise<void> {
    this.#cancelRetry();
    let retryAt = Number.POSITIVE_INFINITY;
    try {
      while (this.#again && !this.#stopped) {
        this.#again = false;
        retryAt = await this.#passOver();
      }
    } catch (error) {
      this.log.error({ error, recipient: this.recipient }, 'the outbox could not be read or settled; trying again');
      retryAt = this.clock.now() + 1_000;
    }
    if (retryAt < Number.POSITIVE_INFINITY && !this.#stopped) {
      this.#cancelRetry = this.clock.after(Math.max(0, retryAt - this.clock.now()), () => this.wake());
    }
  }

  /** Once over all that is open, oldest first. Returns when the first of those held back is due. */
  async #passOver(): Promise<number> {
    const held = new Set<string>();
    const dueAt = this.#hurried ? Number.POSITIVE_INFINITY : this.clock.now();
    this.#hurried = false;
    let retryAt = Number.POSITIVE_INFINITY;
    let after = 0;
    while (!this.#stopped) {
      const rows = await openRows(this.database).execute({ recipient: this.recipient, after });
      if (rows.length === 0) break;
      after = rows.at(-1)!.seq;
      const outcomes = await Promise.all(
        [...chainsByKey(rows)].filter(([key]) => !held.has(key)).map(([, chain]) => this.#deliverChain(chain, dueAt)),
      );
      for (const { held: row, retryAt: at } of await this.#settle(outcomes.flat())) {
        held.add(row.key);
        retryAt = Math.min(retryAt, at);
      }
    }
    return retryAt;
  }

  /** One key's events, one after the other, up to the first that is not taken. */
  async #deliverChain(chain: Row[], dueAt: number): Promise<Outcome[]> {
    const outcomes: Outcome[] = [];
    for (const row of chain) {
      if (this.#stopped) break;
      if (row.nextAttemptAt > dueAt) {
        outcomes.push({ row, error: notDue });
        break;
      }
      try {
        await this.bus.deliver(this.recipient, JSON.parse(row.envelope) as Envelope);
        outcomes.push({ row });
      } catch (error) {
        outcomes.push({ row, error });
        if (!isFinal(error, row)) break;
      }
    }
    return outcomes;
  }

  async #settle(outcomes: Outcome[]): Promise<{ held: Row; retryAt: number }[]> {
    const heldBack: { held: Row; retryAt: number }[] = [];
    const changed = outcomes.filter(({ error }) => error !== notDue);
    for (const { row, error } of outcomes) {
      if (error === notDue) heldBack.push({ held: row, retryAt: row.nextAttemptAt });
    }
    if (changed.length === 0) return heldBack;
    const now = this.clock.now();
    const { outbox } = eventTables(this.database);
    await this.database.work(async (unit) => {
      for (const { row, error } of changed) {
        if (error === undefined) {
          await delivered(unit).execute({ now, seq: row.seq });
          continue;
        }
        const final = isFinal(error, row);
        const attempts = row.attempts + 1;
        const nextAttemptAt = now + backOffMs(attempts, error);
        if (!final) heldBack.push({ held: row, retryAt: nextAttemptAt });
        const lastError = error instanceof Error ? error.message : String(error);
        await unit.db
          .update(outbox)
          .set({ state: final ? 'dead' : 'failed', attempts, nextAttemptAt, lastError, settledAt: final ? now : null })
          .where(eq(outbox.seq, row.seq));
        if (final)
          this.log.error({ type: row.type, recipient: row.recipient, lastError }, 'an event became a dead letter');
      }
    });
    return heldBack;
  }
}

const notDue = Symbol('not due');

function chainsByKey(rows: Row[]): Map<string, Row[]> {
  const chains = new Map<string, Row[]>();
  for (const row of rows) {
    const chain = chains.get(row.key);
    if (chain) chain.push(row);
    else chains.set(row.key, [row]);
  }
  return chains;
}

/** A recipient that is away is waited for; one that fails on the event itself is given up on after a while. */
function isFinal(error: unknown, row: Row): boolean {
  if (isAway(error)) return false;
  return isRefusal(error, 'invalid-input') || row.attempts + 1 >= attemptLimit;
}

/** Not there, not in time, or not admitting this process (its key is another): nothing that the event is to blame for. */
function isAway(error: unknown): boolean {
  return isRefusal(error) && ['unavailable', 'timeout', 'unauthenticated', 'forbidden'].includes(error.code);
}

function backOffMs(attempts: number, error: unknown): number {
  const limit = isAway(error) ? 2_000 : 60_000;
  return Math.min(limit, 50 * 2 ** Math.min(attempts, 20));
}
