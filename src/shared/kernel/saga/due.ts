import { and, asc, eq, gt, isNull, lte, notInArray, or, type SQL, sql } from 'drizzle-orm';
import { prepared, type Reader, type Unit } from '../database/index.ts';
import { livingInstances } from '../leader-election/index.ts';
import { type SagaRow, sagaTables } from './tables.ts';

const { placeholder } = sql;

const claimRow = prepared((unit) => {
  const { sagas } = sagaTables(unit);
  return unit.db
    .update(sagas)
    .set({
      owner: sql`${placeholder('owner')}`,
      fence: sql`${sagas.fence} + 1`,
      attempts: sql`case when ${sagas.owner} is null then ${sagas.attempts} else ${sagas.attempts} + 1 end`,
      inDoubt: sql`case when ${sagas.owner} is null then ${sagas.inDoubt} else 1 end`,
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

/** Matches a saga that continues by itself, forward or back. */
export function isOpen(reader: Reader): SQL {
  return sql`${sagaTables(reader).sagas.state} in ('running', 'compensating')`;
}

/** Longer than any saga waits, in milliseconds. */
const longestWaitMs = 120_000;

/** Matches a due saga. A due time beyond the longest wait comes from a wrong clock and counts as due. */
function isDue(reader: Reader): SQL | undefined {
  const { nextAttemptAt } = sagaTables(reader).sagas;
  return or(lte(nextAttemptAt, placeholder('now')), gt(nextAttemptAt, placeholder('latest')));
}

/** Matches a saga without a live owner. */
function isFree(reader: Reader): SQL | undefined {
  const { owner } = sagaTables(reader).sagas;
  return or(isNull(owner), notInArray(owner, livingInstances(reader, placeholder('now'))));
}

/**
 * Claims a due saga if no live instance owns it. The step that a dead owner was running counts as an attempt, because it may
 * have happened.
 */
export async function claimSaga(unit: Unit, id: string, owner: string, now: number): Promise<SagaRow | undefined> {
  return (await claimRow(unit).execute({ id, owner, now, latest: now + longestWaitMs }))[0];
}

/** Returns the ids of due sagas that belong to `owner` or have no live owner, the longest waiting first. */
export async function dueSagas(reader: Reader, owner: string, now: number, limit: number): Promise<string[]> {
  const rows = await dueRows(reader).execute({ owner, now, latest: now + longestWaitMs, limit });
  return rows.map(({ id }) => id);
}

/** Returns the earliest due time after `now`. */
export async function nextDueAt(reader: Reader, now: number): Promise<number | undefined> {
  return (await nextDue(reader).execute({ now }))[0]?.at;
}

/** Makes sagas that wait to repeat this step due now. Keeps one attempt on record, because the step may have happened. */
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
