/** Passes a call or an event to the next step of a road. Resolves with the outcome. */
type Next<T, R> = (passed: T) => Promise<R>;

/** One step of a road: does its part, and leaves the rest to `next`. The last step of a road does not call `next`. */
export type StepOf<T, R = void> = (passed: T, next: Next<T, R>) => Promise<R>;

/** Makes the step, or the steps, of an entry of a road. */
type MakeStep<Dependencies, T, R> = (parts: Dependencies) => StepOf<T, R> | readonly StepOf<T, R>[];

/** Composes the steps of a road from their dependencies. `end` comes after the last step, if that step calls `next`. */
export function composeSteps<Dependencies, T, R>(
  steps: readonly MakeStep<Dependencies, T, R>[],
  parts: Dependencies,
  end: Next<T, R> = () => Promise.reject(new Error('nothing follows on this road')),
): Next<T, R> {
  return steps
    .flatMap((make) => make(parts))
    .reduceRight<Next<T, R>>((next, step) => (passed) => step(passed, next), end);
}
