import { and, type Column, gt, lte, type SQL, sql } from 'drizzle-orm';
import type { Reader } from '../database/index.ts';
import { type DeliveryState, eventTables } from './tables.ts';

/** How many events wait or gave up: on their way to `recipient`, or held back by the module itself, in the state `held`. */
export type OpenCount =
  | { readonly recipient: string; readonly state: DeliveryState; readonly count: number }
  | { readonly held: DeliveryState; readonly count: number };

const count = sql<number>`count(*)`.mapWith(Number);

export async function countOpen(reader: Reader): Promise<OpenCount[]> {
  const { outbox, held } = eventTables(reader);
  const { recipient, state } = outbox;
  const out = open(state).map((rows) =>
    reader.db.select({ recipient, state, count }).from(outbox).where(rows).groupBy(recipient, state),
  );
  const back = open(held.state).map((rows) =>
    reader.db.select({ held: held.state, count }).from(held).where(rows).groupBy(held.state),
  );
  return (await Promise.all([...out, ...back])).flat();
}

/** How many events up to that number are on their way to anybody, and how many the module itself holds back. */
export async function countWaiting(reader: Reader, upTo: number): Promise<{ pending: number; held: number }> {
  const { outbox, held } = eventTables(reader);
  const [waits] = open(outbox.state);
  const [waitsHere] = open(held.state);
  const [out] = await reader.db
    .select({ count })
    .from(outbox)
    .where(and(waits, lte(outbox.seq, upTo)));
  const [back] = await reader.db.select({ count }).from(held).where(waitsHere);
  return { pending: out?.count ?? 0, held: back?.count ?? 0 };
}

/** The number of the latest event that the module published to anybody. */
export async function lastPublished(reader: Reader): Promise<number> {
  const { outbox } = eventTables(reader);
  const [row] = await reader.db
    .select({ last: sql<number>`coalesce(max(${outbox.seq}), 0)`.mapWith(Number) })
    .from(outbox);
  return row?.last ?? 0;
}

/** How many events it has published since that number, to each recipient. */
export async function countPublished(reader: Reader, since: number): Promise<{ recipient: string; count: number }[]> {
  const { outbox } = eventTables(reader);
  const { recipient } = outbox;
  return reader.db.select({ recipient, count }).from(outbox).where(gt(outbox.seq, since)).groupBy(recipient);
}

/** Apart as the indexes have them: a count must not read all that was delivered. */
function open(state: Column): SQL[] {
  return [sql`${state} in ('pending', 'failed')`, sql`${state} = 'dead'`];
}
