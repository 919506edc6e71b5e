import { getTableColumns, sql } from 'drizzle-orm';
import type { Reader } from '../database/index.ts';
import type { TraceFields } from '../telemetry/index.ts';
import { findSaga } from './store.ts';
import { type SagaRow, sagaTables } from './tables.ts';

/** A saga as operators see it. It excludes the data, which belongs to the saga's module alone. */
export type SagaDetails = Omit<SagaRow, 'data' | keyof TraceFields | 'inDoubt'>;
export type SagaSummary = Omit<SagaDetails, 'history'>;

/** Returns at most `limit` sagas, the latest first. */
export async function listSagas(reader: Reader, state: string | undefined, limit: number): Promise<SagaSummary[]> {
  const { sagas } = sagaTables(reader);
  const { data, traceparent, tracestate, baggage, history, inDoubt, ...columns } = getTableColumns(sagas);
  return reader.db
    .select(columns)
    .from(sagas)
    .where(state ? sql`${sagas.state} = ${state}` : undefined)
    .orderBy(sql`${sagas.startedAt} desc`)
    .limit(limit);
}

/** Returns one saga with its history. */
export async function describeSaga(reader: Reader, id: string): Promise<SagaDetails | undefined> {
  const row = await findSaga(reader, id);
  if (!row) return undefined;
  const { data, traceparent, tracestate, baggage, inDoubt, ...details } = row;
  return details;
}
