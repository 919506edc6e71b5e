import { type SQL, sql } from 'drizzle-orm';
import type { Reader } from '../database/index.ts';
import { type SagaState, sagaTables } from './tables.ts';

/** Sagas of one name in one state that has not ended: running, compensating or stuck. */
export interface OpenSagas {
  readonly name: string;
  readonly state: SagaState;
  readonly count: number;
  /** When the oldest of them began, in milliseconds since 1970. */
  readonly since: number;
}

const readAtMost = 10_000;

/** Counts the sagas that have not ended, by name and state. Reads at most 10,000 that run and as many that are stuck. */
export async function countOpenSagas(reader: Reader): Promise<OpenSagas[]> {
  const { sagas } = sagaTables(reader);
  const some = (rows: SQL) => {
    const { name, state, startedAt } = sagas;
    const read = reader.db.select({ name, state, startedAt }).from(sagas).where(rows).limit(readAtMost).as('some');
    return reader.db
      .select({
        name: read.name,
        state: read.state,
        count: sql<number>`count(*)`.mapWith(Number),
        since: sql<number>`min(${read.startedAt})`.mapWith(Number),
      })
      .from(read)
      .groupBy(read.name, read.state);
  };
  const open = await some(sql`${sagas.state} in ('running', 'compensating')`);
  return [...open, ...(await some(sql`${sagas.state} = 'stuck'`))];
}
