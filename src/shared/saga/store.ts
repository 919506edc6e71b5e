import { and, asc, eq, getTableColumns, gt, inArray, sql } from 'drizzle-orm';
import { prepared, type Reader, type Unit } from '../data/index.ts';
import { type SagaRow, sagaTables } from './tables.ts';

const { placeholder } = sql;

const insertRow = prepared((unit) =>
  unit.db
    .insert(sagaTables(unit).sagas)
    .values({
      id: placeholder('id'),
      name: placeholder('name'),
      version: placeholder('version'),
      state: 'running',
      step: 0,
      data: placeholder('data'),
      attempts: 0,
      nextAttemptAt: placeholder('now'),
      deadline: placeholder('deadline'),
      traceparent: placeholder('traceparent'),
      startedAt: placeholder('now'),
      updatedAt: placeholder('now'),
    })
    .prepare(),
);

const updateRow = prepared((unit) => {
  const { sagas } = sagaTables(unit);
  return unit.db
    .update(sagas)
    .set({
      state: sql`${placeholder('state')}`,
      step: sql`${placeholder('step')}`,
      data: sql`${placeholder('data')}`,
      attempts: sql`${placeholder('attempts')}`,
      nextAttemptAt: sql`${placeholder('nextAttemptAt')}`,
      reason: sql`${placeholder('reason')}`,
      lastError: sql`${placeholder('lastError')}`,
      updatedAt: sql`${placeholder('updatedAt')}`,
    })
    .where(eq(sagas.id, placeholder('id')))
    .prepare();
});

const rowById = prepared((reader) => {
  const { sagas } = sagaTables(reader);
  return reader.db
    .select()
    .from(sagas)
    .where(eq(sagas.id, placeholder('id')))
    .prepare();
});

/** A saga as operators see it: without its data, which is its module's alone. */
export type SagaSummary = Omit<SagaRow, 'data' | 'traceparent'>;

export async function insertSaga(
  unit: Unit,
  row: {
    id: string;
    name: string;
    version: number;
    data: unknown;
    now: number;
    deadline: number;
    traceparent: string | null;
  },
) {
  await insertRow(unit).execute(row);
}

export async function updateSaga(unit: Unit, row: SagaRow): Promise<void> {
  await updateRow(unit).execute({ ...row, data: JSON.stringify(row.data) });
}

export async function findSaga(reader: Reader, id: string): Promise<SagaRow | undefined> {
  return (await rowById(reader).execute({ id }))[0];
}

/** Those that have not ended and are due, the longest waiting first. */
export async function dueSagas(
  reader: Reader,
  now: number,
  limit: number,
): Promise<{ id: string; nextAttemptAt: number }[]> {
  const { sagas } = sagaTables(reader);
  return reader.db
    .select({ id: sagas.id, nextAttemptAt: sagas.nextAttemptAt })
    .from(sagas)
    .where(sql`${sagas.state} in ('running', 'compensating') and ${sagas.nextAttemptAt} <= ${now}`)
    .orderBy(asc(sagas.nextAttemptAt))
    .limit(limit);
}

/** When the next of those that are not due yet falls due. */
export async function nextDueAt(reader: Reader, now: number): Promise<number | undefined> {
  const { sagas } = sagaTables(reader);
  const [first] = await reader.db
    .select({ at: sagas.nextAttemptAt })
    .from(sagas)
    .where(sql`${sagas.state} in ('running', 'compensating') and ${sagas.nextAttemptAt} > ${now}`)
    .orderBy(asc(sagas.nextAttemptAt))
    .limit(1);
  return first?.at;
}

/** Lets those that wait to repeat this step begin afresh, now. */
export async function endWait(
  unit: Unit,
  { name, version, step, state }: Pick<SagaRow, 'name' | 'version' | 'step' | 'state'>,
  now: number,
): Promise<void> {
  const { sagas } = sagaTables(unit);
  await unit.db
    .update(sagas)
    .set({ nextAttemptAt: now, attempts: 0 })
    .where(
      and(
        eq(sagas.state, state),
        gt(sagas.nextAttemptAt, now),
        eq(sagas.name, name),
        eq(sagas.version, version),
        eq(sagas.step, step),
      ),
    );
}

/** The latest first. */
export async function listSagas(reader: Reader, state: string | undefined, limit: number): Promise<SagaSummary[]> {
  const { sagas } = sagaTables(reader);
  const { data: _, traceparent: __, ...columns } = getTableColumns(sagas);
  return reader.db
    .select(columns)
    .from(sagas)
    .where(state ? sql`${sagas.state} = ${state}` : undefined)
    .orderBy(sql`${sagas.startedAt} desc`)
    .limit(limit);
}

const keptMs = 7 * 24 * 60 * 60_000;

/** Removes a portion of those that ended well more than seven days ago. Returns how many. */
export async function removeEnded(unit: Unit, now: number, portion: number): Promise<number> {
  const { sagas } = sagaTables(unit);
  const old = unit.db
    .select({ id: sagas.id })
    .from(sagas)
    .where(sql`${sagas.state} in ('done', 'compensated') and ${sagas.updatedAt} < ${now - keptMs}`)
    .limit(portion);
  return (await unit.db.delete(sagas).where(inArray(sagas.id, old)).returning({ id: sagas.id })).length;
}
