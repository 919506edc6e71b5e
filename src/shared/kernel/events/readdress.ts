import { and, asc, desc, eq, gt, inArray, lte, sql } from 'drizzle-orm';
import type { Database, Unit } from '../database/index.ts';
import type { Bus } from './bus.ts';
import { eventTables, type OutboxRow } from './tables.ts';

const portion = 500;

/**
 * Readdresses the events that wait for recipients of another bus to the recipients of this bus, in order. Runs before the relay
 * starts. `known` are the recipients of this bus, and `brokers` the recipients that are brokers. Returns how many rows it replaced.
 * Events for any other recipient wait for a release that knows it.
 */
export async function readdress(
  database: Database,
  bus: Pick<Bus, 'recipients'>,
  known: readonly string[],
  brokers: readonly string[],
): Promise<number> {
  const byBroker = known.some((recipient) => brokers.includes(recipient));
  const strangers = (await openRecipients(database)).filter((recipient) => !known.includes(recipient));
  const from = byBroker ? strangers : strangers.filter((recipient) => brokers.includes(recipient));
  const last = await lastOpen(database, from);
  let moved = 0;
  for (let after = 0; after < last; ) {
    const rows = await openRows(database, from, after, last);
    const end = rows.at(-1);
    if (!end) break;
    await database.work((unit) => moveAll(unit, rows, bus));
    after = end.seq;
    moved += rows.length;
  }
  return moved;
}

/** Returns the number of the last open row for any of these recipients, or 0. */
async function lastOpen(database: Database, recipients: readonly string[]): Promise<number> {
  const { outbox } = eventTables(database);
  let last = 0;
  for (const recipient of recipients) {
    const [latest] = await database.db
      .select({ seq: outbox.seq })
      .from(outbox)
      .where(and(eq(outbox.recipient, recipient), sql`${outbox.state} in ('pending', 'failed')`))
      .orderBy(desc(outbox.seq))
      .limit(1);
    last = Math.max(last, latest?.seq ?? 0);
  }
  return last;
}

/** Returns the recipients with open rows. Makes one index lookup per recipient, however many rows wait. */
async function openRecipients(database: Database): Promise<string[]> {
  const { outbox } = eventTables(database);
  const found: string[] = [];
  for (;;) {
    const [next] = await database.db
      .select({ recipient: outbox.recipient })
      .from(outbox)
      .where(and(sql`${outbox.state} in ('pending', 'failed')`, gt(outbox.recipient, found.at(-1) ?? '')))
      .orderBy(asc(outbox.recipient))
      .limit(1);
    if (!next) return found;
    found.push(next.recipient);
  }
}

async function openRows(
  database: Database,
  recipients: readonly string[],
  after: number,
  last: number,
): Promise<OutboxRow[]> {
  const { outbox } = eventTables(database);
  const open = sql`${outbox.state} in ('pending', 'failed')`;
  return database.db
    .select()
    .from(outbox)
    .where(and(gt(outbox.seq, after), lte(outbox.seq, last), open, inArray(outbox.recipient, [...recipients])))
    .orderBy(asc(outbox.seq))
    .limit(portion);
}

/** Replaces the rows of each event, which are adjacent, by one row for each of its recipients now. */
async function moveAll(unit: Unit, rows: readonly OutboxRow[], bus: Pick<Bus, 'recipients'>): Promise<void> {
  const { outbox } = eventTables(unit);
  let before: string | undefined;
  for (const { seq, ...row } of rows) {
    await unit.db.delete(outbox).where(sql`${outbox.seq} = ${seq}`);
    if (row.eventId === before) continue;
    before = row.eventId;
    for (const recipient of bus.recipients(row.type)) {
      await unit.db.insert(outbox).values({ ...row, recipient, state: 'pending', nextAttemptAt: 0 });
    }
  }
}
