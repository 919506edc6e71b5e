/** Passes something on along a road. Resolves with the outcome. */
type Next<T, R> = (passed: T) => Promise<R>;

/** One step of a road: does its part, and leaves the rest to `next`. The last step of a road does not call `next`. */
export type StepOf<T, R = void> = (passed: T, next: Next<T, R>) => Promise<R>;

/** Makes the step, or the steps, for a place on a road. */
type MakeStep<Place, T, R> = (place: Place) => StepOf<T, R> | readonly StepOf<T, R>[];

/** Composes the steps of a road, once for `place`. `end` takes what has passed all steps, unless the last step does not call `next`. */
export function composeSteps<Place, T, R>(
  steps: readonly MakeStep<Place, T, R>[],
  place: Place,
  end: Next<T, R> = () => Promise.reject(new Error('nothing follows on this road')),
): Next<T, R> {
  return steps
    .flatMap((make) => make(place))
    .reduceRight<Next<T, R>>((next, step) => (passed) => step(passed, next), end);
}
