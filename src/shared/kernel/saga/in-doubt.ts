import type { Saga } from './saga.ts';
import type { SagaRow } from './tables.ts';

type Steps = Pick<Saga<never, never>, 'steps'>;

/**
 * Returns whether the executor records the saga's progress after this step. The callee of a command stores its answer and repeats
 * it for the same idempotency key. So no record is needed before another call, if the saga keeps nothing of the answer and the
 * next call can be compensated.
 */
export function isRecordedAfter({ steps }: Steps, at: number): boolean {
  const [step, next] = [steps[at], steps[at + 1]];
  if (next?.kind !== 'call' || next.pointOfNoReturn) return true;
  return (
    step?.kind !== 'call' || step.operation.kind !== 'command' || step.keep !== undefined || !!step.pointOfNoReturn
  );
}

/** Returns the index of the last step that may have run. */
export function lastInDoubt(saga: Steps, { step, inDoubt }: SagaRow): number {
  let last = step;
  while (inDoubt && !isRecordedAfter(saga, last)) last += 1;
  return last;
}

/** Returns whether a step has passed the point of no return. A step without an answer counts too, because it may have happened. */
export function passedNoReturn({ steps }: Steps, current: number, refused: boolean): boolean {
  const passed = steps.slice(0, refused ? current : current + 1);
  return passed.some((step) => step.kind === 'call' && step.pointOfNoReturn);
}
