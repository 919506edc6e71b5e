import { and, asc, eq, gt, inArray, isNull, lte, notInArray, or, type SQL, sql } from 'drizzle-orm';
import { prepared, type Reader, type Unit } from '../data/index.ts';
import { livingInstances } from '../instances/index.ts';
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

const reached = {
  state: sql`${placeholder('state')}`,
  step: sql`${placeholder('step')}`,
  data: sql`${placeholder('data')}`,
  attempts: sql`${placeholder('attempts')}`,
  nextAttemptAt: sql`${placeholder('nextAttemptAt')}`,
  reason: sql`${placeholder('reason')}`,
  lastError: sql`${placeholder('lastError')}`,
  updatedAt: sql`${placeholder('updatedAt')}`,
  history: sql`${placeholder('history')}`,
};

const updateOwned = prepared((unit) => {
  const { sagas } = sagaTables(unit);
  const lease = and(eq(sagas.owner, placeholder('owner')), eq(sagas.fence, placeholder('fence')));
  return unit.db
    .update(sagas)
    .set({ ...reached, owner: sql`${placeholder('nextOwner')}` })
    .where(and(eq(sagas.id, placeholder('id')), lease))
    .returning({ id: sagas.id })
    .prepare();
});

const updateStuckRow = prepared((unit) => {
  const { sagas } = sagaTables(unit);
  return unit.db
    .update(sagas)
    .set(reached)
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

const claimRow = prepared((unit) => {
  const { sagas } = sagaTables(unit);
  return unit.db
    .update(sagas)
    .set({
      owner: sql`${placeholder('owner')}`,
      fence: sql`${sagas.fence} + 1`,
      attempts: sql`case when ${sagas.owner} is null then ${sagas.attempts} else ${sagas.attempts} + 1 end`,
    })
    .where(and(eq(sagas.id, placeholder('id')), isOpen(unit), isDue(unit), isFree(unit)))
    .returning()
    .prepare();
});

const dueRows = prepared((reader) => {
  const { sagas } = sagaTables(reader);
  const mine = eq(sagas.owner, placeholder('owner'));
  return reader.db
    .select({ id: sagas.id })
    .from(sagas)
    .where(and(isOpen(reader), isDue(reader), or(mine, isFree(reader))))
    .orderBy(asc(sagas.nextAttemptAt))
    .limit(placeholder('limit'))
    .prepare();
});

const nextDue = prepared((reader) => {
  const { sagas } = sagaTables(reader);
  return reader.db
    .select({ at: sagas.nextAttemptAt })
    .from(sagas)
    .where(and(isOpen(reader), gt(sagas.nextAttemptAt, placeholder('now'))))
    .orderBy(asc(sagas.nextAttemptAt))
    .limit(1)
    .prepare();
});

function isOpen(reader: Reader): SQL {
  return sql`${sagaTables(reader).sagas.state} in ('running', 'compensating')`;
}

/** Longer than any saga waits, in milliseconds. */
const longestWaitMs = 120_000;

/** A due time further away than any wait was written by a clock that was wrong. */
function isDue(reader: Reader): SQL | undefined {
  const { nextAttemptAt } = sagaTables(reader).sagas;
  return or(lte(nextAttemptAt, placeholder('now')), gt(nextAttemptAt, placeholder('latest')));
}

/** Nobody works on it, or one that is dead. */
function isFree(reader: Reader): SQL | undefined {
  const { owner } = sagaTables(reader).sagas;
  return or(isNull(owner), notInArray(owner, livingInstances(reader, placeholder('now'))));
}

/** Another instance has taken the saga over: this one counted as dead. It may write nothing more for it. */
export class LeaseLost extends Error {
  override readonly name = 'LeaseLost';
}

/** Writes down a saga that begins, in the hands of `owner`. */
export async function insertSaga(
  unit: Unit,
  row: Pick<SagaRow, 'id' | 'name' | 'version' | 'data' | 'deadline' | 'traceparent' | 'owner'> & { now: number },
): Promise<void> {
  await insertRow(unit).execute(row);
}

/**
 * Writes down where the saga has come to, for the one who holds it; `nextOwner` holds it from now on. Throws `LeaseLost`,
 * which takes the unit back, when it was taken over.
 */
export async function updateSaga(unit: Unit, row: SagaRow, nextOwner = row.owner): Promise<void> {
  const owner = isEnd(row.state) ? null : nextOwner;
  const updated = await updateOwned(unit).execute({ ...inColumns(row), nextOwner: owner });
  if (updated.length === 0) throw new LeaseLost(`${row.id} was taken over by another instance`);
}

/** Writes down what a person has decided about a stuck saga. */
export async function updateStuck(unit: Unit, row: SagaRow): Promise<void> {
  await updateStuckRow(unit).execute(inColumns(row));
}

function inColumns(row: SagaRow) {
  return { ...row, data: JSON.stringify(row.data), history: JSON.stringify(row.history) };
}

/**
 * Takes a saga that is due, when nobody who lives works on it. What a dead instance was at counts as an attempt: the step may
 * have happened.
 */
export async function claimSaga(unit: Unit, id: string, owner: string, now: number): Promise<SagaRow | undefined> {
  return (await claimRow(unit).execute({ id, owner, now, latest: now + longestWaitMs }))[0];
}

export async function findSaga(reader: Reader, id: string): Promise<SagaRow | undefined> {
  return (await rowById(reader).execute({ id }))[0];
}

/** Those that are due and are `owner`'s or free, the longest waiting first. */
export async function dueSagas(reader: Reader, owner: string, now: number, limit: number): Promise<string[]> {
  const rows = await dueRows(reader).execute({ owner, now, latest: now + longestWaitMs, limit });
  return rows.map(({ id }) => id);
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
      .set({ attempts: sql`${sagas.attempts} + 1` })
      .where(and(open, some));
  }
  const released = await unit.db.update(sagas).set({ owner: null }).where(open).returning({ id: sagas.id });
  return released.map(({ id }) => id);
}

/** How these stand, in no order; those that are not known are left out. */
export async function statesOf(reader: Reader, ids: readonly string[]): Promise<Pick<SagaRow, 'id' | 'state'>[]> {
  const { sagas } = sagaTables(reader);
  const { id, state } = sagas;
  const found: Pick<SagaRow, 'id' | 'state'>[] = [];
  for (let at = 0; at < ids.length; at += mostAtOnce) {
    const some = inArray(id, ids.slice(at, at + mostAtOnce));
    found.push(...(await reader.db.select({ id, state }).from(sagas).where(some)));
  }
  return found;
}

/** When the next of those that are not due yet falls due. */
export async function nextDueAt(reader: Reader, now: number): Promise<number | undefined> {
  return (await nextDue(reader).execute({ now }))[0]?.at;
}

/** Lets those that wait to repeat this step begin afresh, now. That it was tried is not forgotten: it may have happened. */
export async function endWait(
  unit: Unit,
  { name, version, step, state }: Pick<SagaRow, 'name' | 'version' | 'step' | 'state'>,
  now: number,
): Promise<void> {
  const { sagas } = sagaTables(unit);
  await unit.db
    .update(sagas)
    .set({ nextAttemptAt: now, attempts: 1 })
    .where(
      and(
        eq(sagas.state, state),
        gt(sagas.nextAttemptAt, now),
        eq(sagas.name, name),
        eq(sagas.version, version),
        eq(sagas.step, step),
        isNull(sagas.owner),
      ),
    );
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
