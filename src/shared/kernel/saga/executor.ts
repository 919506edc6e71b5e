import { type Clock, crashPoint, withinLimit } from '../context/index.ts';
import type { Operation } from '../contract/index.ts';
import type { Unit } from '../database/index.ts';
import { isAway, isKernelCode, isRefusal, messageOf, type Refusal } from '../errors/index.ts';
import { type FailureLog, type Log, traced } from '../telemetry/index.ts';
import { happening, noted } from './history.ts';
import { isRecordedAfter, lastInDoubt, passedNoReturn } from './in-doubt.ts';
import type { CallStep, RunningSaga, RunStep, SagaData, Step } from './saga.ts';
import { LeaseLost, updateProgress, updateSaga } from './store.ts';
import { isEnd, type SagaRow } from './tables.ts';

/** Calls an operation for a saga, with a stable key. The call belongs to the trace of the running step. */
export type SagaCalls = (operation: Operation, input: unknown, idempotencyKey: string) => Promise<unknown>;

export interface SagaExecutorDependencies<U extends Unit = Unit> {
  /** Runs a unit of work. Resolves as soon as later units see its changes. */
  work: (task: (unit: U) => Promise<void>) => Promise<void>;
  /** Resolves when all records are on disk. Nothing leaves the process before that. */
  onDisk: () => Promise<void>;
  call: SagaCalls;
  clock: Clock;
  log: Log;
  failures: FailureLog;
  stopped: () => boolean;
}

/** Failures in a row after which a saga is `stuck`, if it cannot turn around and waiting does not help. */
const attemptLimit = 12;

/** The step has ended its process again and again. */
class ProcessEnded extends Error {}

/** A saga of any module, for code that runs none of its writes. */
type AnySaga = RunningSaga<never>;

interface Reached {
  readonly row: SagaRow;
  readonly isRecorded: boolean;
}

/**
 * Runs a saga as far as it goes now: to its end, or to a step that must wait, and then releases it. After a crash, repeats the
 * unrecorded steps with the same keys: see `isRecordedAfter`.
 * `ended` means that the previous owner's process ended at this step. When that has happened as often as a step may fail, the
 * executor does not start the step again: the saga turns around or is stuck. Throws `LeaseLost` when another instance has taken
 * over the saga.
 */
export async function executeSaga<U extends Unit>(
  saga: RunningSaga<U>,
  from: SagaRow,
  around: SagaExecutorDependencies<U>,
  ended = false,
): Promise<SagaRow> {
  let reached: Reached = { row: from, isRecorded: true };
  let failed =
    ended && from.attempts >= attemptLimit ? new ProcessEnded('its process ended while its step ran') : undefined;
  while (!isEnd(reached.row.state) && reached.row.owner !== null && !around.stopped()) {
    const row = withinDeadline(saga, reached.row, around);
    try {
      const before = failed;
      failed = undefined;
      reached =
        row.state === 'running' ? await forward(saga, row, around, before) : await backward(saga, row, around, before);
    } catch (error) {
      if (error instanceof LeaseLost) throw error;
      reached = await release(saga, row, error, around);
    }
  }
  return (reached.isRecorded ? reached : await record(saga, reached.row, around)).row;
}

/** Limits the deadline to `deadlineMs` from now: a wrong clock wrote any later deadline. */
function withinDeadline({ deadlineMs }: AnySaga, row: SagaRow, { clock }: SagaExecutorDependencies): SagaRow {
  return { ...row, deadline: Math.min(row.deadline, clock.now() + (deadlineMs ?? Number.POSITIVE_INFINITY)) };
}

async function forward<U extends Unit>(
  saga: RunningSaga<U>,
  row: SagaRow,
  around: SagaExecutorDependencies<U>,
  failed?: Error,
): Promise<Reached> {
  const step = saga.steps[row.step];
  if (!step || step.kind === 'write') {
    if (failed) throw failed;
    return record(saga, row, around);
  }
  let kept: unknown;
  try {
    if (failed) throw failed;
    kept = await traced(`step ${step.name}`, {}, () => perform(step, row, around));
  } catch (error) {
    const turned = turn(saga, row, error, around);
    if (!turned) throw error;
    tellFailure(saga, row, error, around);
    if (turned.step >= 0) await around.work((unit) => updateSaga(unit, turned));
    return { row: turned, isRecorded: true };
  }
  crashPoint('saga', saga.name, step.name, 'done');
  const history = noted(row.history, happening(step, isSkipped(step, row) ? 'skipped' : 'done', around));
  const data: SagaData = Object.assign({}, row.data, kept);
  const next: SagaRow = { ...row, step: row.step + 1, data, history, attempts: 0, lastError: null };
  return isRecordedAfter(saga, row.step) ? record(saga, next, around) : { row: next, isRecorded: false };
}

/** Records the saga's progress. Runs the write steps that follow directly in the same unit. */
async function record<U extends Unit>(
  saga: RunningSaga<U>,
  reached: SagaRow,
  around: SagaExecutorDependencies<U>,
): Promise<Reached> {
  const now = around.clock.now();
  const row: SagaRow = { ...reached, attempts: 0, lastError: null, inDoubt: 0, updatedAt: now };
  const writing = around.work(async (unit) => {
    Object.assign(row, { step: reached.step, history: reached.history });
    for (let step = saga.steps[row.step]; step?.kind === 'write'; step = saga.steps[row.step]) {
      await step.task(unit, row.data);
      row.step += 1;
      row.history = noted(row.history, happening(step, 'done', around));
    }
    if (row.step < saga.steps.length) return updateProgress(unit, row);
    Object.assign(row, { state: 'done', data: {} });
    return updateSaga(unit, row);
  });
  await writing.catch((error: unknown) => {
    if (error instanceof LeaseLost) throw error;
    // This error is not a callee's answer, so it must not turn the saga around.
    throw new Error(messageOf(error), { cause: error });
  });
  crashPoint('saga', saga.name, saga.steps[row.step - 1]?.name ?? 'begun', 'recorded');
  return { row, isRecorded: true };
}

async function perform(
  step: CallStep<SagaData> | RunStep<SagaData>,
  row: SagaRow,
  around: SagaExecutorDependencies,
): Promise<unknown> {
  const key = `${row.id}/${step.name}`;
  if (step.kind === 'run') {
    await around.onDisk();
    const controller = new AbortController();
    const late = () => {
      const error = new Error(`"${step.name}" took longer than ${step.limitMs / 1_000} s`);
      controller.abort(error);
      return error;
    };
    return withinLimit(around.clock, step.limitMs, late, () => step.task(row.data, key, controller.signal));
  }
  if (isSkipped(step, row)) return undefined;
  const output = await around.call(step.operation, step.input(row.data), key);
  return step.keep?.(output);
}

async function backward<U extends Unit>(
  saga: RunningSaga<U>,
  row: SagaRow,
  around: SagaExecutorDependencies<U>,
  failed?: Error,
): Promise<Reached> {
  if (failed) throw failed;
  const step = saga.steps[row.step];
  let { history } = row;
  if (step?.kind === 'call' && step.undo && !isSkipped(step, row)) {
    const { operation, input } = step.undo;
    const key = `${row.id}/${step.name}/undo`;
    await traced(`compensate ${step.name}`, {}, () => around.call(operation, input(row.data), key));
    history = noted(history, happening(step, 'taken back', around));
    crashPoint('saga', saga.name, step.name, 'taken back');
  }
  const now = around.clock.now();
  const fresh = { attempts: 0, lastError: null, nextAttemptAt: now, updatedAt: now };
  const next: SagaRow = { ...row, ...fresh, step: row.step - 1, history };
  const ended = next.step < 0;
  if (ended) Object.assign(next, { state: 'compensated', data: {} });
  await around.work(async (unit) => {
    if (ended) await saga.compensated?.(unit, row.data, row.reason ?? 'unknown');
    await updateSaga(unit, next);
  });
  crashPoint('saga', saga.name, step?.name ?? 'all', 'recorded as taken back');
  return { row: next, isRecorded: true };
}

/** Returns the saga as `compensating` if the failed step is a reason to turn around and it is not too late; else `undefined`. */
function turn(saga: AnySaga, row: SagaRow, error: unknown, around: SagaExecutorDependencies): SagaRow | undefined {
  const now = around.clock.now();
  const refused = isNo(error);
  const late = now >= row.deadline || error instanceof ProcessEnded;
  if (saga.deadlineMs === undefined || !(refused || late) || passedNoReturn(saga, row.step, refused)) return undefined;
  // A step that was refused at its first attempt did nothing. Any other failed step may have happened: the saga compensates it too.
  const refusedAt = row.attempts === 0 && !row.inDoubt ? row.step - 1 : row.step;
  const step = refused ? refusedAt : lastInDoubt(saga, row);
  const reason = isRefusal(error) ? error.code : 'internal';
  const lastError = messageOf(error);
  const history = noted(row.history, happening(saga.steps[row.step], 'failed', around, lastError));
  const fresh = { attempts: 0, inDoubt: 0, nextAttemptAt: now, updatedAt: now } as const;
  return { ...row, ...fresh, state: 'compensating', reason, step, lastError, history };
}

/**
 * Releases the saga until it is due again. Makes it `stuck` when a refusal leaves no way back, or after too many failures that waiting
 * does not fix.
 */
async function release(
  saga: AnySaga,
  row: SagaRow,
  error: unknown,
  around: SagaExecutorDependencies,
): Promise<Reached> {
  const now = around.clock.now();
  const lastError = messageOf(error);
  tellFailure(saga, row, error, around);
  const failed: SagaRow = { ...row, lastError, updatedAt: now, attempts: row.attempts + 1 };
  const step = saga.steps[row.step];
  const canStillTurn = row.state === 'running' && now < row.deadline;
  if (
    isNo(error) ||
    error instanceof ProcessEnded ||
    (failed.attempts >= attemptLimit && !canStillTurn && !isAway(error))
  ) {
    failed.state = 'stuck';
    around.log.error(
      { saga: row.id, name: row.name, step: step?.name, lastError },
      'a saga is stuck and needs a person: /ops/sagas?state=stuck',
    );
  } else {
    failed.nextAttemptAt = now + Math.min(5_000, 50 * 2 ** Math.min(failed.attempts, 10));
  }
  const what = failed.state === 'stuck' ? 'stuck' : 'failed';
  failed.history = noted(row.history, happening(step, what, around, lastError));
  await around.work((unit) => updateSaga(unit, failed, null));
  return { row: { ...failed, owner: null }, isRecorded: true };
}

/** Logs a failed step: a callee's refusal as info, an absent module as a warning, and any other failure as an error. */
function tellFailure(saga: AnySaga, row: SagaRow, error: unknown, { failures }: SagaExecutorDependencies): void {
  const step = saga.steps[row.step]?.name;
  failures.add({
    message: 'a step of a saga failed',
    error,
    level: isNo(error) ? 'info' : isAway(error) ? 'warn' : 'error',
    kind: `${saga.name} ${row.state} ${step}`,
    fields: { saga: row.id, name: saga.name, step },
  });
}

function isSkipped(step: Step<SagaData>, row: SagaRow): boolean {
  return step.kind === 'call' && step.condition?.(row.data) === false;
}

/** Returns whether the error is the callee's own refusal. A kernel refusal means that the callee was not reached or failed. */
function isNo(error: unknown): error is Refusal {
  return isRefusal(error) && (error.code === 'not-found' || !isKernelCode(error.code));
}
