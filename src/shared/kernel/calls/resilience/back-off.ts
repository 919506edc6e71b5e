export interface BackOff {
  /** The longest wait after the first attempt; it doubles with each. */
  readonly firstMs: number;
  readonly longestMs: number;
}

const usual: BackOff = { firstMs: 20, longestMs: 1_000 };

/**
 * How long to wait after `attempt` (1 is the first) has failed: anything from nothing to the longest, all alike, so that
 * callers who failed together do not come back together. `random` gives 0 to below 1.
 */
export function backOffMs(attempt: number, random: () => number, { firstMs, longestMs }: BackOff = usual): number {
  return Math.floor(random() * Math.min(longestMs, firstMs * 2 ** (attempt - 1)));
}
