import { and, eq, inArray, type SQL, sql } from 'drizzle-orm';
import { prepared, type Reader, rowsChanged, type Unit } from '../database/index.ts';
import { isOpen } from './due.ts';
import { isEnd, type SagaRow, sagaTables } from './tables.ts';

const { placeholder } = sql;

/** Ids that one query may name. */
const mostAtOnce = 500;

const insertRow = prepared((unit) =>
  unit.db
    .insert(sagaTables(unit).sagas)
    .values({
      id: placeholder('id'),
      name: placeholder('name'),
      version: placeholder('version'),
      state: 'running',
      step: 0,
      inDoubt: 0,
      data: placeholder('data'),
      attempts: 0,
      nextAttemptAt: placeholder('now'),
      deadline: placeholder('deadline'),
      traceparent: placeholder('traceparent'),
      startedAt: placeholder('now'),
      updatedAt: placeholder('now'),
      owner: placeholder('owner'),
      fence: 1,
      history: [],
    })
    .prepare(),
);

const progress = ['step', 'inDoubt', 'data', 'attempts', 'lastError', 'updatedAt', 'history'] as const;
const reached = [...progress, 'state', 'nextAttemptAt', 'deadline', 'reason'] as const;

/** Sets these columns to what an execution gives for them. */
function given<N extends keyof SagaRow>(unit: Reader, names: readonly N[]): Record<N, SQL> {
  const { sagas } = sagaTables(unit);
  const values = names.map((name) => [name, sql`${sql.param(placeholder(name), sagas[name])}`]);
  return Object.fromEntries(values) as Record<N, SQL>;
}

const updateOwned = prepared((unit) =>
  unit.db
    .update(sagaTables(unit).sagas)
    .set({ ...given(unit, reached), owner: sql`${placeholder('nextOwner')}` })
    .where(isHeld(unit))
    .prepare(),
);

/** Nothing of what its indices are made of. */
const updateStep = prepared((unit) =>
  unit.db.update(sagaTables(unit).sagas).set(given(unit, progress)).where(isHeld(unit)).prepare(),
);

/** The saga with this id, while it is in the hands of this owner. */
function isHeld(unit: Reader): SQL | undefined {
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

const rowById = prepared((reader) => {
  const { sagas } = sagaTables(reader);
  return reader.db
    .select()
    .from(sagas)
    .where(eq(sagas.id, placeholder('id')))
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

/** Another instance has taken the saga over: this one counted as dead. It may write nothing more for it. */
export class LeaseLost extends Error {
  override readonly name = 'LeaseLost';
}

/** Writes down a saga that begins, in the hands of `owner`. */
export async function insertSaga(unit: Unit, row: SagaRow): Promise<void> {
  await insertRow(unit).execute({ ...row, now: row.startedAt });
}

/**
 * Writes down where the saga has come to, for the one who holds it; `nextOwner` holds it from now on. Throws `LeaseLost`,
 * which takes the unit back, when it was taken over.
 */
export async function updateSaga(unit: Unit, row: SagaRow, nextOwner = row.owner): Promise<void> {
  const owner = isEnd(row.state) ? null : nextOwner;
  refuseLost(row, await rowsChanged(updateOwned(unit), { ...row, nextOwner: owner }));
}

/** The same for a saga that goes on at its next step, and stays due and in the same hands. */
export async function updateProgress(unit: Unit, row: SagaRow): Promise<void> {
  refuseLost(row, await rowsChanged(updateStep(unit), row));
}

function refuseLost({ id }: SagaRow, rows: number): void {
  if (rows === 0) throw new LeaseLost(`${id} was taken over by another instance`);
}

/** Writes down what a person has decided about a stuck saga. */
export async function updateStuck(unit: Unit, row: SagaRow): Promise<void> {
  await updateStuckRow(unit).execute(row);
}

export async function findSaga(reader: Reader, id: string): Promise<SagaRow | undefined> {
  return (await rowById(reader).execute({ id }))[0];
}

/**
 * Lets others have what is in `owner`'s hands. What was at a step that may have happened, as it is with `inDoubt`, counts as
 * an attempt. Returns the ids of all.
 */
export async function releaseSagas(unit: Unit, owner: string, inDoubt: readonly string[]): Promise<string[]> {
  const { sagas } = sagaTables(unit);
  const open = and(eq(sagas.owner, owner), isOpen(unit));
  for (let at = 0; at < inDoubt.length; at += mostAtOnce) {
    const some = inArray(sagas.id, inDoubt.slice(at, at + mostAtOnce));
    await unit.db
      .update(sagas)
      .set({ attempts: sql`${sagas.attempts} + 1`, inDoubt: 1 })
      .where(and(open, some));
  }
  const released = await unit.db.update(sagas).set({ owner: null }).where(open).returning({ id: sagas.id });
  return released.map(({ id }) => id);
}

/** How these stand, in no order; those that are not known are left out. */
export async function statesOf(reader: Reader, ids: readonly string[]): Promise<Pick<SagaRow, 'id' | 'state'>[]> {
  const { sagas } = sagaTables(reader);
  const { id, state } = sagas;
  if (ids.length === 1) return stateById(reader).execute({ id: ids[0] });
  const found: Pick<SagaRow, 'id' | 'state'>[] = [];
  for (let at = 0; at < ids.length; at += mostAtOnce) {
    const some = inArray(id, ids.slice(at, at + mostAtOnce));
    found.push(...(await reader.db.select({ id, state }).from(sagas).where(some)));
  }
  return found;
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
