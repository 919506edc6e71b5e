/** Passes something on along a road. Resolves with the outcome. */
type Next<T, R> = (passed: T) => Promise<R>;

/** One step of a road: does its part, and leaves the rest to `next`. */
type Step<T, R> = (passed: T, next: Next<T, R>) => Promise<R>;

/** Makes the step, or the steps, for a place on a road. */
type MakeStep<Place, T, R> = (place: Place) => Step<T, R> | readonly Step<T, R>[];

/** Composes the steps of a road, once for `place`. `end` takes what has passed all of them. */
export function composeSteps<Place, T, R>(
  steps: readonly MakeStep<Place, T, R>[],
  place: Place,
  end: Next<T, R>,
): Next<T, R> {
  return steps
    .flatMap((make) => make(place))
    .reduceRight<Next<T, R>>((next, step) => (passed) => step(passed, next), end);
}
