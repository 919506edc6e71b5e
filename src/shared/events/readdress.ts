import { and, asc, desc, eq, gt, lte, notInArray, sql } from 'drizzle-orm';
import type { Database, Unit } from '../data/index.ts';
import type { Bus } from './bus.ts';
import { eventTables, type OutboxRow } from './tables.ts';

const portion = 500;

/**
 * Gives what waits for somebody who is not `known` to the bus (because another bus was used before, or a module is gone) to
 * whom the bus would address it now, in order. Runs before anything new is published. Returns how many rows there were.
 */
export async function readdress(
  database: Database,
  bus: Pick<Bus, 'recipients'>,
  known: readonly string[],
): Promise<number> {
  const last = await lastOpen(database, known);
  let moved = 0;
  for (let after = 0; after < last; ) {
    const rows = await openRows(database, known, after, last);
    if (rows.length === 0) break;
    await database.work((unit) => moveAll(unit, rows, bus));
    after = rows.at(-1)!.seq;
    moved += rows.length;
  }
  return moved;
}

/** The last row for a recipient that is not known, or 0. */
async function lastOpen(database: Database, known: readonly string[]): Promise<number> {
  const { outbox } = eventTables(database);
  let last = 0;
  for (const recipient of await openRecipients(database)) {
    if (known.includes(recipient)) continue;
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

/** One look into the index for each, however much waits. */
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
  known: readonly string[],
  after: number,
  last: number,
): Promise<OutboxRow[]> {
  const { outbox } = eventTables(database);
  const open = sql`${outbox.state} in ('pending', 'failed')`;
  return database.db
    .select()
    .from(outbox)
    .where(and(gt(outbox.seq, after), lte(outbox.seq, last), open, notInArray(outbox.recipient, [...known])))
    .orderBy(asc(outbox.seq))
    .limit(portion);
}

/** The rows of one event stand side by side: it goes once to each of those it is for now. */
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
