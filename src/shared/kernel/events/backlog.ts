import { and, asc, type Column, eq, gt, type SQL, sql } from 'drizzle-orm';
import type { SQLiteTable } from 'drizzle-orm/sqlite-core';
import type { Reader } from '../database/index.ts';
import { eventTables } from './tables.ts';

/** The waiting and the dead events of a module. A count stops at 100,000: reading must not hold up the module. */
export interface Backlog {
  readonly outbox: readonly (OldestEvent & { readonly waiting: number })[];
  /** The number of events in the retry queue, and when the oldest of them was received, in milliseconds since 1970. */
  readonly retryQueue: { readonly waiting: number; readonly since: number | undefined };
  readonly deadLetters: { readonly in: number; readonly out: number };
}

const countedAtMost = 100_000;

/** The oldest event that waits for a recipient. `since` is when it was published, in milliseconds since 1970. */
export interface OldestEvent {
  readonly recipient: string;
  readonly since: number;
}

/** Returns the oldest waiting event of each recipient. Reads one row for each, however many wait. */
export async function oldestInOutbox(reader: Reader): Promise<OldestEvent[]> {
  const { outbox } = eventTables(reader);
  const found: OldestEvent[] = [];
  for (;;) {
    const [first] = await reader.db
      .select({ recipient: outbox.recipient, since: outbox.createdAt })
      .from(outbox)
      .where(and(isOpen(outbox), gt(outbox.recipient, found.at(-1)?.recipient ?? '')))
      .orderBy(asc(outbox.recipient), asc(outbox.seq))
      .limit(1);
    if (!first) return found;
    found.push(first);
  }
}

/** Reads the backlog by the indexes of open and dead events alone. */
export async function readBacklog(reader: Reader): Promise<Backlog> {
  const { outbox, retryQueue } = eventTables(reader);
  const recipients: Backlog['outbox'][number][] = [];
  for (const oldest of await oldestInOutbox(reader)) {
    const waiting = await count(reader, outbox, sql`${isOpen(outbox)} and ${outbox.recipient} = ${oldest.recipient}`);
    recipients.push({ ...oldest, waiting });
  }
  const inRetry = isOpen(retryQueue);
  const some = reader.db
    .select({ seq: retryQueue.seq })
    .from(retryQueue)
    .where(inRetry)
    .limit(countedAtMost)
    .as('some');
  const [oldest] = await reader.db
    .select({ since: retryQueue.receivedAt })
    .from(retryQueue)
    .where(eq(retryQueue.seq, reader.db.select({ seq: sql<number>`min(${some.seq})` }).from(some)));
  return {
    outbox: recipients,
    retryQueue: { waiting: await count(reader, retryQueue, inRetry), since: oldest?.since },
    deadLetters: {
      in: await count(reader, retryQueue, sql`${retryQueue.state} = 'dead'`),
      out: await count(reader, outbox, sql`${outbox.state} = 'dead'`),
    },
  };
}

function isOpen({ state }: { readonly state: Column }): SQL {
  return sql`${state} in ('pending', 'failed')`;
}

async function count(reader: Reader, table: SQLiteTable, rows: SQL): Promise<number> {
  const some = reader.db
    .select({ one: sql`1`.as('one') })
    .from(table)
    .where(rows)
    .limit(countedAtMost)
    .as('some');
  const [row] = await reader.db.select({ count: sql<number>`count(*)`.mapWith(Number) }).from(some);
  return row?.count ?? 0;
}
