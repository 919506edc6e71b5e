import type { Unit } from '../database/index.ts';
import { invalidInput, refusal } from '../errors/index.ts';
import { noted } from './history.ts';
import type { RunningSaga } from './saga.ts';
import { findSaga, updateStuck } from './store.ts';
import type { SagaRow } from './tables.ts';

export type Outcome = 'done' | 'compensated';

export interface Settlement {
  readonly id: string;
  readonly outcome: Outcome;
  /** The operator that resolves the saga, and the reason. */
  readonly note: string;
  readonly now: number;
}

/** Resumes a stuck saga in its previous direction. Keeps one attempt on record, because the step may have happened. */
export async function resumeSaga(unit: Unit, id: string, now: number): Promise<void> {
  const row = await stuck(unit, id);
  const history = noted(row.history, { what: 'resumed', at: now });
  const state = isOnItsWayBack(row) ? 'compensating' : 'running';
  await updateStuck(unit, { ...row, state, history, attempts: 1, nextAttemptAt: now, updatedAt: now });
}

/** Resolves a stuck saga by hand and runs its module's writes for that outcome. Returns the saga's new row. */
export async function settleSaga<U extends Unit>(
  unit: U,
  definitionOf: (row: SagaRow) => RunningSaga<U> | undefined,
  { id, outcome, note, now }: Settlement,
): Promise<SagaRow> {
  const row = await stuck(unit, id);
  const saga = definitionOf(row);
  if (!saga) throw no('id', `${row.name}.v${row.version} is not known to this release, which so cannot write its end`);
  if (outcome === 'compensated') await saga.compensated?.(unit, row.data, row.reason ?? 'settled');
  else await writeTheRest(unit, saga, row);
  const history = noted(row.history, { what: 'settled', at: now, note });
  const ended: SagaRow = { ...row, state: outcome, data: {}, history, updatedAt: now };
  await updateStuck(unit, ended);
  return ended;
}

async function writeTheRest<U extends Unit>(unit: U, saga: RunningSaga<U>, row: SagaRow): Promise<void> {
  if (isOnItsWayBack(row)) {
    throw no('outcome', `${row.id} is on its way back (${row.reason}) and cannot be done: settle it as compensated`);
  }
  for (const step of saga.steps.slice(row.step)) {
    if (step.kind === 'write') await step.task(unit, row.data);
  }
}

async function stuck(unit: Unit, id: string): Promise<SagaRow> {
  const row = await findSaga(unit, id);
  if (!row) throw refusal('not-found', `there is no saga ${id}`);
  if (row.state !== 'stuck') throw no('id', `${id} is ${row.state}; only a saga that is stuck waits for a person`);
  return row;
}

function isOnItsWayBack({ reason }: SagaRow): boolean {
  return reason !== null;
}

function no(path: string, message: string) {
  return invalidInput([{ path, message }]);
}
