import { type Column, type SQL, sql } from 'drizzle-orm';
import type { Reader } from '../data/index.ts';
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

/** Apart as the indexes have them: a count must not read all that was delivered. */
function open(state: Column): SQL[] {
  return [sql`${state} in ('pending', 'failed')`, sql`${state} = 'dead'`];
}
