import { and, asc, eq, gt, lt, sql } from 'drizzle-orm';
import type { Clock } from '../context/index.ts';
import type { Database, Reader, Unit } from '../database/index.ts';
import { refusal } from '../errors/index.ts';
import { withIncident } from './attempts.ts';
import { parseEvent } from './envelope.ts';
import { eventTables, type Incident, type RetryQueueRow, unreadable } from './tables.ts';

/** An event without further attempts: this module could not take it (`in`), or the relay could not deliver it (`out`). */
export interface DeadLetter {
  /** Unique within its module: `in-12`. */
  readonly id: string;
  readonly type: string;
  readonly key: string;
  /** The recipient that an outgoing event did not reach. */
  readonly recipient?: string;
  readonly state: string;
  readonly attempts: number;
  readonly lastError: string | null;
  /** The original event: a CloudEvent, or a text that is not one. */
  readonly event: unknown;
  readonly history: readonly { at: string; what: Incident['what']; why?: string }[];
}

/** Selects the dead letters that match all given fields. */
export interface DeadLetterFilter {
  readonly type?: string;
  readonly key?: string;
  /** A part of the last error. */
  readonly error?: string;
}

interface DeadLettersDependencies {
  readonly database: Database;
  readonly clock: Clock;
  /** Tells the inbox, or with a recipient the relay, that an event waits for a new attempt. */
  readonly wake: (recipient?: string) => void;
}

type Side = 'in' | 'out';
type Row = RetryQueueRow & { readonly recipient?: string };
type Decision = Pick<Incident, 'why'> & { readonly what: 'replayed' | 'discarded' };

const sides: readonly Side[] = ['in', 'out'];
const portion = 200;

/** Reads a module's dead letters, replays them, or discards them with a reason. */
export class DeadLetters {
  private readonly parts: DeadLettersDependencies;

  constructor(parts: DeadLettersDependencies) {
    this.parts = parts;
  }

  /** Returns at most `limit` incoming and at most `limit` outgoing dead letters, the oldest first. */
  async list(filter: DeadLetterFilter, limit: number): Promise<DeadLetter[]> {
    const ofSides = sides.map(async (side) => {
      const rows = await dead(this.parts.database, side, filter, 0, limit);
      return rows.map((row) => shown(side, row));
    });
    return (await Promise.all(ofSides)).flat();
  }

  /** Returns one dead letter with its full history, in any state. Refuses an unknown id with `not-found`. */
  async read(id: string): Promise<DeadLetter> {
    const { side, row } = await find(this.parts.database, id);
    return shown(side, row);
  }

  /** Retries an event through the same inbox: an event that has taken effect does so only once. Refuses an event that is not dead. */
  replay(id: string): Promise<void> {
    return this.#settleOne(id, { what: 'replayed' });
  }

  /** Discards an event. Its history keeps the reason for seven days. Refuses an event that is not dead. */
  discard(id: string, reason: string): Promise<void> {
    return this.#settleOne(id, { what: 'discarded', why: reason });
  }

  /** Replays all matching dead letters and returns their number. Skips messages that are not events. */
  replayAll(filter: DeadLetterFilter): Promise<number> {
    return this.#settleAll(filter, { what: 'replayed' });
  }

  /** Discards all matching dead letters and returns their number. */
  discardAll(filter: DeadLetterFilter, reason: string): Promise<number> {
    return this.#settleAll(filter, { what: 'discarded', why: reason });
  }

  async #settleOne(id: string, decision: Decision): Promise<void> {
    const { database, clock, wake } = this.parts;
    await database.work(async (unit) => {
      const { side, row } = await find(unit, id);
      if (row.state !== 'dead') throw refusal('not-found', `${id} is not dead any more: it is ${row.state}`);
      if (!fitting(row, decision)) throw refusal('invalid-input', `${id} is no event; it can only be discarded`);
      await settle(unit, side, row, decision, clock.now());
      unit.afterCommit(() => wake(row.recipient));
    });
  }

  /** Handles one portion per unit of work, and each row once: leaves a row that fails again meanwhile. */
  async #settleAll(filter: DeadLetterFilter, decision: Decision): Promise<number> {
    const { database, clock, wake } = this.parts;
    let settled = 0;
    for (const side of sides) {
      for (let after = 0, last = false; !last; ) {
        await database.work(async (unit) => {
          const rows = await dead(unit, side, filter, after, portion);
          const meant = rows.filter((row) => fitting(row, decision));
          for (const row of meant) await settle(unit, side, row, decision, clock.now());
          settled += meant.length;
          after = rows.at(-1)?.seq ?? after;
          last = rows.length < portion;
          for (const recipient of new Set(meant.map((row) => row.recipient))) unit.afterCommit(() => wake(recipient));
        });
      }
    }
    return settled;
  }
}

/** Returns the table of one side. Both tables have the columns that this file uses. */
function tableOf(reader: Reader, side: Side) {
  const { retryQueue, outbox } = eventTables(reader);
  return side === 'in' ? retryQueue : (outbox as unknown as typeof retryQueue);
}

async function find(reader: Reader, id: string): Promise<{ side: Side; row: Row }> {
  const [, named, seq] = /^(in|out)-(\d{1,15})$/.exec(id) ?? [];
  const side: Side = named === 'out' ? 'out' : 'in';
  const table = tableOf(reader, side);
  const [row] = seq
    ? await reader.db
        .select()
        .from(table)
        .where(eq(table.seq, Number(seq)))
    : [];
  if (!row || (row.state !== 'dead' && !row.history?.length))
    throw refusal('not-found', `there is no dead letter ${id}`);
  return { side, row };
}

function dead(reader: Reader, side: Side, filter: DeadLetterFilter, after: number, limit: number): Promise<Row[]> {
  const table = tableOf(reader, side);
  const fits = [
    ...(filter.type ? [eq(table.type, filter.type)] : []),
    ...(filter.key ? [eq(table.key, filter.key)] : []),
    ...(filter.error ? [sql`${table.lastError} like ${containing(filter.error)} escape '!'`] : []),
  ];
  return reader.db
    .select()
    .from(table)
    .where(and(sql`${table.state} = 'dead'`, gt(table.seq, after), ...fits))
    .orderBy(asc(table.seq))
    .limit(limit);
}

function containing(text: string): string {
  return `%${text.replaceAll(/[!%_]/g, '!$&')}%`;
}

function fitting(row: Row, { what }: Decision): boolean {
  return what === 'discarded' || row.type !== unreadable;
}

async function settle(unit: Unit, side: Side, row: Row, decision: Decision, now: number): Promise<void> {
  const table = tableOf(unit, side);
  const history = withIncident(row.history, { at: now, ...decision });
  const again = { state: await replayed(unit, side, row), attempts: 0, nextAttemptAt: now, settledAt: null, history };
  const after = decision.what === 'replayed' ? again : { state: 'discarded' as const, settledAt: now, history };
  await unit.db.update(table).set(after).where(eq(table.seq, row.seq));
}

/** Returns the state after a replay. An incoming event waits behind older open events of its key; a dispatcher orders outgoing events. */
async function replayed(unit: Unit, side: Side, { key, seq }: Row): Promise<'failed' | 'pending'> {
  if (side === 'out') return 'failed';
  const { retryQueue } = eventTables(unit);
  const older = await unit.db
    .select({ seq: retryQueue.seq })
    .from(retryQueue)
    .where(and(eq(retryQueue.key, key), sql`${retryQueue.state} in ('pending', 'failed')`, lt(retryQueue.seq, seq)))
    .limit(1);
  return older.length > 0 ? 'pending' : 'failed';
}

function shown(
  side: Side,
  { seq, type, key, recipient, state, attempts, lastError, envelope, history }: Row,
): DeadLetter {
  return {
    ...{ id: `${side}-${seq}`, type, key, ...(recipient && { recipient }), state, attempts, lastError },
    event: parseEvent(envelope),
    history: (history ?? []).map(({ at, ...incident }) => ({ at: new Date(at).toISOString(), ...incident })),
  };
}
