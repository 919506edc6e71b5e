import { and, eq, inArray, type SQL, sql } from 'drizzle-orm';
import { insertInto, prepared, type Reader, rowBy, rowsChanged, type Unit } from '../database/index.ts';
import { isOpen } from './due.ts';
import type { Saga } from './saga.ts';
import { isEnd, type SagaRow, sagaTables } from './tables.ts';

const { placeholder } = sql;

/** Maximum number of ids in one query. */
const maxAtOnce = 500;

const progress = ['step', 'inDoubt', 'data', 'attempts', 'lastError', 'updatedAt', 'history'] as const;
const reached = [...progress, 'state', 'nextAttemptAt', 'deadline', 'reason'] as const;

/** Returns the assignments of these columns to the values that each execution passes. */
function given<N extends keyof SagaRow>(unit: Reader, names: readonly N[]): Record<N, SQL> {
  const { sagas } = sagaTables(unit);
  const values = names.map((name) => [name, sql`${sql.param(placeholder(name), sagas[name])}`]);
  return Object.fromEntries(values) as Record<N, SQL>;
}

const updateOwned = prepared((unit) =>
  unit.db
    .update(sagaTables(unit).sagas)
    .set({ ...given(unit, reached), owner: sql`${placeholder('nextOwner')}` })
    .where(isOwned(unit))
    .prepare(),
);

/** Updates only columns that the indexes of an open saga do not use. */
const updateStep = prepared((unit) =>
  unit.db.update(sagaTables(unit).sagas).set(given(unit, progress)).where(isOwned(unit)).prepare(),
);

/** Matches the saga with this id while this owner holds its lease. */
function isOwned(unit: Reader): SQL | undefined {
  const { sagas } = sagaTables(unit);
  const lease = and(eq(sagas.owner, placeholder('owner')), eq(sagas.fence, placeholder('fence')));
  return and(eq(sagas.id, placeholder('id')), lease);
}

const updateStuckRow = prepared((unit) => {
  const { sagas } = sagaTables(unit);
  return unit.db
    .update(sagas)
    .set(given(unit, reached))
    .where(and(eq(sagas.id, placeholder('id')), sql`${sagas.state} = 'stuck'`))
    .prepare();
});

const stateById = prepared((reader) => {
  const { sagas } = sagaTables(reader);
  return reader.db
    .select({ id: sagas.id, state: sagas.state })
    .from(sagas)
    .where(eq(sagas.id, placeholder('id')))
    .prepare();
});

/** Another instance has taken over the saga, because this one counted as dead. This one may write nothing more for the saga. */
export class LeaseLost extends Error {
  override readonly name = 'LeaseLost';
}

/** Returns the row of a saga that begins at `now`, without trace and owner. Its data is as a process reads it again after a crash. */
export function newSaga(
  { name, version, deadlineMs }: Saga<never, never>,
  id: string,
  data: unknown,
  now: number,
): SagaRow {
  return {
    ...{ id, name, version, state: 'running', step: 0, inDoubt: 0, data: JSON.parse(JSON.stringify(data)) },
    ...{ attempts: 0, nextAttemptAt: now, reason: null, lastError: null },
    ...{ traceparent: null, tracestate: null, baggage: null },
    deadline: deadlineMs === undefined ? Number.MAX_SAFE_INTEGER : now + deadlineMs,
    ...{ startedAt: now, updatedAt: now, owner: null, fence: 1, history: [] },
  };
}

export const insertSaga = insertInto((unit) => sagaTables(unit).sagas);
export const findSaga = rowBy((reader) => sagaTables(reader).sagas, 'id');

/**
 * Records the saga's progress for its owner, and makes `nextOwner` the owner from now on. Throws `LeaseLost`, which rolls back
 * the unit, when another instance has taken over the saga.
 */
export async function updateSaga(unit: Unit, row: SagaRow, nextOwner = row.owner): Promise<void> {
  const owner = isEnd(row.state) ? null : nextOwner;
  refuseLost(row, await rowsChanged(updateOwned(unit), { ...row, nextOwner: owner }));
}

/** Records the progress of a saga that continues at its next step, stays due, and keeps its owner. Throws `LeaseLost` likewise. */
export async function updateProgress(unit: Unit, row: SagaRow): Promise<void> {
  refuseLost(row, await rowsChanged(updateStep(unit), row));
}

function refuseLost({ id }: SagaRow, rows: number): void {
  if (rows === 0) throw new LeaseLost(`${id} was taken over by another instance`);
}

/** Records an operator's decision about a stuck saga. */
export async function updateStuck(unit: Unit, row: SagaRow): Promise<void> {
  await updateStuckRow(unit).execute(row);
}

/**
 * Releases all open sagas of `owner` to other instances. Counts an attempt for the sagas in `inDoubt`, because their step may
 * have happened. Returns the ids of all released sagas.
 */
export async function releaseSagas(unit: Unit, owner: string, inDoubt: readonly string[]): Promise<string[]> {
  const { sagas } = sagaTables(unit);
  const open = and(eq(sagas.owner, owner), isOpen(unit));
  for (let at = 0; at < inDoubt.length; at += maxAtOnce) {
    const some = inArray(sagas.id, inDoubt.slice(at, at + maxAtOnce));
    await unit.db
      .update(sagas)
      .set({ attempts: sql`${sagas.attempts} + 1`, inDoubt: 1 })
      .where(and(open, some));
  }
  const released = await unit.db.update(sagas).set({ owner: null }).where(open).returning({ id: sagas.id });
  return released.map(({ id }) => id);
}

/** Returns the states of these sagas, in no order. Leaves out unknown ids. */
export async function statesOf(reader: Reader, ids: readonly string[]): Promise<Pick<SagaRow, 'id' | 'state'>[]> {
  const { sagas } = sagaTables(reader);
  const { id, state } = sagas;
  if (ids.length === 1) return stateById(reader).execute({ id: ids[0] });
  const found: Pick<SagaRow, 'id' | 'state'>[] = [];
  for (let at = 0; at < ids.length; at += maxAtOnce) {
    const some = inArray(id, ids.slice(at, at + maxAtOnce));
    found.push(...(await reader.db.select({ id, state }).from(sagas).where(some)));
  }
  return found;
}

const keptMs = 7 * 24 * 60 * 60_000;

/** Removes at most `portion` sagas that ended as done or compensated more than seven days ago. Returns their number. */
export async function removeEnded(unit: Unit, now: number, portion: number): Promise<number> {
  const { sagas } = sagaTables(unit);
  const old = unit.db
    .select({ id: sagas.id })
    .from(sagas)
    .where(sql`${sagas.state} in ('done', 'compensated') and ${sagas.updatedAt} < ${now - keptMs}`)
    .limit(portion);
  return (await unit.db.delete(sagas).where(inArray(sagas.id, old)).returning({ id: sagas.id })).length;
}
