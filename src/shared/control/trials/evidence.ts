/** Counts the calls with some property (`hits`) among a number of calls (`of`). */
export interface Share {
  readonly hits: number;
  readonly of: number;
}

const points = 128;
/** Beyond this many standard deviations the probability is negligible. */
const deviations = 8;

/**
 * Returns the probability, 0 to 1, that the rate behind `one` exceeds the rate behind `other` by more than `margin`. It uses the
 * posterior distributions of both (beta-binomial, Jeffreys prior; Gelman et al., Bayesian Data Analysis, 2.4 and 2.8). The caller may
 * ask after every call. The result is also right for few calls and without hits.
 */
export function surenessOfExcess(one: Share, other: Share, margin: number): number {
  const [ones, others] = [posterior(one), posterior(other)];
  let [next, above, sure] = [0, 1, 0];
  for (const { rate, weight } of others) {
    while (next < points && ones[next]!.rate <= rate + margin) above -= ones[next++]!.weight;
    sure += weight * above;
  }
  return Math.min(1, Math.max(0, sure));
}

/** Returns possible rates in ascending order, with probabilities. On the scale of arcsin(√rate), all rates are equally precise. */
function posterior({ hits, of }: Share): { rate: number; weight: number }[] {
  const middle = Math.asin(Math.sqrt((hits + 0.25) / (of + 0.5)));
  const reach = deviations / (2 * Math.sqrt(of + 1));
  const [from, to] = [Math.max(0, middle - reach), Math.min(Math.PI / 2, middle + reach)];
  const angles = Array.from({ length: points }, (_, at) => from + ((at + 0.5) / points) * (to - from));
  const logs = angles.map((angle) => 2 * (hits * Math.log(Math.sin(angle)) + (of - hits) * Math.log(Math.cos(angle))));
  const highest = Math.max(...logs);
  const weights = logs.map((log) => Math.exp(log - highest));
  const all = weights.reduce((sum, weight) => sum + weight, 0);
  return angles.map((angle, at) => ({ rate: Math.sin(angle) ** 2, weight: weights[at]! / all }));
}
