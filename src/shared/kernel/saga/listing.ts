import { getTableColumns, sql } from 'drizzle-orm';
import type { Reader } from '../database/index.ts';
import { findSaga } from './store.ts';
import { type SagaRow, sagaTables } from './tables.ts';

/** A saga as operators see it. It excludes the data, which belongs to the saga's module alone. */
export type SagaDetails = Omit<SagaRow, 'data' | 'traceparent' | 'inDoubt'>;
export type SagaSummary = Omit<SagaDetails, 'history'>;

/** Returns at most `limit` sagas, the latest first. */
export async function listSagas(reader: Reader, state: string | undefined, limit: number): Promise<SagaSummary[]> {
  const { sagas } = sagaTables(reader);
  const { data: _, traceparent: __, history: ___, inDoubt: ____, ...columns } = getTableColumns(sagas);
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
  const { data: _, traceparent: __, inDoubt: ___, ...details } = row;
  return details;
}
