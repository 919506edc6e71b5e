import type { Saga } from './saga.ts';
import type { SagaRow } from './tables.ts';

type Steps = Pick<Saga<never, never>, 'steps'>;

/**
 * Whether the saga's progress is written after this step. The callee of a command stores its answer, and repeats it for the same
 * idempotency key. That is enough before another call, if the saga keeps nothing of the answer and the next call can be compensated.
 */
export function isRecordedAfter({ steps }: Steps, at: number): boolean {
  const [step, next] = [steps[at], steps[at + 1]];
  if (next?.kind !== 'call' || next.pointOfNoReturn) return true;
  return (
    step?.kind !== 'call' || step.operation.kind !== 'command' || step.keep !== undefined || !!step.pointOfNoReturn
  );
}

/** The index of the last step that may have run. */
export function lastInDoubt(saga: Steps, { step, inDoubt }: SagaRow): number {
  let last = step;
  while (inDoubt && !isRecordedAfter(saga, last)) last += 1;
  return last;
}

/** The point of no return is passed by a step that has happened, and by one that may have: whose answer never came. */
export function passedNoReturn({ steps }: Steps, current: number, refused: boolean): boolean {
  const passed = steps.slice(0, refused ? current : current + 1);
  return passed.some((step) => step.kind === 'call' && step.pointOfNoReturn);
}
