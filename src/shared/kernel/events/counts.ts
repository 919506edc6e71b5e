import { and, type Column, gt, lte, type SQL, sql } from 'drizzle-orm';
import type { Reader } from '../database/index.ts';
import { type DeliveryState, eventTables } from './tables.ts';

/** Number of waiting or dead events: in the outbox for `recipient`, or in the module's own retry queue in the state `held`. */
export type OpenCount =
  | { readonly recipient: string; readonly state: DeliveryState; readonly count: number }
  | { readonly held: DeliveryState; readonly count: number };

const count = sql<number>`count(*)`.mapWith(Number);

/** Counts the waiting and the dead events of a module, per recipient and state. */
export async function countOpen(reader: Reader): Promise<OpenCount[]> {
  const { outbox, retryQueue } = eventTables(reader);
  const { recipient, state } = outbox;
  const out = open(state).map((rows) =>
    reader.db.select({ recipient, state, count }).from(outbox).where(rows).groupBy(recipient, state),
  );
  const back = open(retryQueue.state).map((rows) =>
    reader.db.select({ held: retryQueue.state, count }).from(retryQueue).where(rows).groupBy(retryQueue.state),
  );
  return (await Promise.all([...out, ...back])).flat();
}

/** Counts the events up to number `upTo` that wait for any recipient, and the events that wait in the module's own retry queue. */
export async function countWaiting(reader: Reader, upTo: number): Promise<{ pending: number; held: number }> {
  const { outbox, retryQueue } = eventTables(reader);
  const [waits] = open(outbox.state);
  const [waitsHere] = open(retryQueue.state);
  const [out] = await reader.db
    .select({ count })
    .from(outbox)
    .where(and(waits, lte(outbox.seq, upTo)));
  const [back] = await reader.db.select({ count }).from(retryQueue).where(waitsHere);
  return { pending: out?.count ?? 0, held: back?.count ?? 0 };
}

/** Returns the number of the latest event that the module published to any recipient. */
export async function lastPublished(reader: Reader): Promise<number> {
  const { outbox } = eventTables(reader);
  const [row] = await reader.db
    .select({ last: sql<number>`coalesce(max(${outbox.seq}), 0)`.mapWith(Number) })
    .from(outbox);
  return row?.last ?? 0;
}

/** Counts the events that the module published after number `since`, per recipient. */
export async function countPublished(reader: Reader, since: number): Promise<{ recipient: string; count: number }[]> {
  const { outbox } = eventTables(reader);
  const { recipient } = outbox;
  return reader.db.select({ recipient, count }).from(outbox).where(gt(outbox.seq, since)).groupBy(recipient);
}

/** Returns one condition per index, so that a count does not read all delivered rows. */
function open(state: Column): SQL[] {
  return [sql`${state} in ('pending', 'failed')`, sql`${state} = 'dead'`];
}
