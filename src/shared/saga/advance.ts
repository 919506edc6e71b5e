import type { Clock } from '../clock/index.ts';
import type { Operation } from '../contract/index.ts';
import type { Unit } from '../data/index.ts';
import { isRefusal, isTransient } from '../errors/index.ts';
import type { Log } from '../observability/index.ts';
import type { CallStep, RunStep, Saga, Step } from './saga.ts';
import { updateSaga } from './store.ts';
import type { SagaRow } from './tables.ts';

export type SagaCalls = (operation: Operation, input: unknown, idempotencyKey: string) => Promise<unknown>;

export interface Surroundings {
  work: (task: (unit: Unit) => Promise<void>) => Promise<void>;
  call: SagaCalls;
  clock: Clock;
  log: Log;
  stopped: () => boolean;
}

/** After this many failures in a row that waiting does not mend, a saga that cannot turn around is `stuck`. */
const attemptLimit = 12;

type AnySaga = Saga<never, Unit>;

/**
 * Takes a saga as far as it goes now: to its end, or to a step that must wait. Each step is recorded before the next
 * begins, so that after a crash it is the step in doubt that is repeated, with the same key.
 */
export async function advance(saga: AnySaga, from: SagaRow, around: Surroundings): Promise<SagaRow> {
  let row = from;
  while ((row.state === 'running' || row.state === 'compensating') && !around.stopped()) {
    const before = row;
    try {
      row = row.state === 'running' ? await forward(saga, row, around) : await backward(saga, row, around);
    } catch (error) {
      row = await afterFailure(saga, before, error, around);
      if (row.state === before.state && row.nextAttemptAt > around.clock.now()) return row;
    }
  }
  return row;
}

async function forward(saga: AnySaga, row: SagaRow, around: Surroundings): Promise<SagaRow> {
  const step = saga.steps[row.step];
  if (!step || step.kind === 'write') return record(saga, row, around);
  const kept = await perform(step, row, around);
  const data = { ...row.data, ...(kept as object | undefined) };
  return record(saga, { ...row, step: row.step + 1, data }, around);
}

/** Records what was reached; the writes that follow at once are part of the same unit. */
async function record(saga: AnySaga, reached: SagaRow, around: Surroundings): Promise<SagaRow> {
  const now = around.clock.now();
  const row: SagaRow = { ...reached, attempts: 0, lastError: null, nextAttemptAt: now, updatedAt: now };
  await around.work(async (unit) => {
    row.step = reached.step;
    for (let step = saga.steps[row.step]; step?.kind === 'write'; step = saga.steps[row.step]) {
      await step.task(unit as never, row.data as never);
      row.step += 1;
    }
    row.state = row.step >= saga.steps.length ? 'done' : 'running';
    await updateSaga(unit, row);
  });
  return row;
}

async function perform(step: CallStep<never> | RunStep<never>, row: SagaRow, around: Surroundings): Promise<unknown> {
  const key = `${row.id}/${step.name}`;
  if (step.kind === 'run') return step.task(row.data as never, key);
  if (step.condition?.(row.data as never) === false) return undefined;
  const output = await around.call(step.operation, step.input(row.data as never), key);
  return step.keep?.(output as never);
}

async function backward(saga: AnySaga, row: SagaRow, around: Surroundings): Promise<SagaRow> {
  const step = saga.steps[row.step];
  if (step?.kind === 'call' && step.undo && step.condition?.(row.data as never) !== false) {
    await around.call(step.undo.operation, step.undo.input(row.data as never), `${row.id}/${step.name}/undo`);
  }
  const now = around.clock.now();
  const next: SagaRow = {
    ...row,
    step: row.step - 1,
    attempts: 0,
    lastError: null,
    nextAttemptAt: now,
    updatedAt: now,
  };
  if (next.step < 0) next.state = 'compensated';
  await around.work(async (unit) => {
    if (next.step < 0) await saga.compensated?.(unit, row.data as never, row.reason ?? 'unknown');
    await updateSaga(unit, next);
  });
  return next;
}

/** Turns around on a final refusal or a missed deadline, while that is still possible; otherwise waits and repeats. */
async function afterFailure(saga: AnySaga, row: SagaRow, error: unknown, around: Surroundings): Promise<SagaRow> {
  const now = around.clock.now();
  const lastError = error instanceof Error ? error.message : String(error);
  const failed: SagaRow = { ...row, lastError, updatedAt: now, attempts: row.attempts + 1 };
  const refused = !isTransient(error);
  const late = now >= row.deadline;
  if (row.state === 'running' && canTurn(saga.steps, row.step, refused) && (refused || late)) {
    failed.state = 'compensating';
    failed.reason = isRefusal(error) ? error.code : 'internal';
    // A refused step did nothing; one that failed otherwise may have, and is taken back as well.
    failed.step = refused ? row.step - 1 : row.step;
    failed.attempts = 0;
    failed.nextAttemptAt = now;
    if (failed.step < 0) return compensateNothing(saga, failed, around);
  } else if (failed.attempts >= attemptLimit && late && !isAway(error)) {
    failed.state = 'stuck';
    around.log.error({ saga: row.id, name: row.name, step: row.step, lastError }, 'a saga is stuck and needs a person');
  } else {
    failed.nextAttemptAt = now + Math.min(5_000, 50 * 2 ** Math.min(failed.attempts, 10));
  }
  await around.work((unit) => updateSaga(unit, failed));
  return failed;
}

async function compensateNothing(saga: AnySaga, row: SagaRow, around: Surroundings): Promise<SagaRow> {
  const ended: SagaRow = { ...row, state: 'compensated' };
  await around.work(async (unit) => {
    await saga.compensated?.(unit, row.data as never, row.reason ?? 'unknown');
    await updateSaga(unit, ended);
  });
  return ended;
}

/** The point of no return is passed by a step that has happened, and by one that may have: whose answer never came. */
function canTurn(steps: readonly Step<never>[], current: number, refused: boolean): boolean {
  const passed = steps.slice(0, refused ? current : current + 1);
  return !passed.some((step) => step.kind === 'call' && step.pointOfNoReturn);
}

function isAway(error: unknown): boolean {
  return isRefusal(error, 'unavailable') || isRefusal(error, 'timeout');
}
