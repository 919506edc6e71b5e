export interface BackOff {
  /** Maximum wait after the first attempt. It doubles with each attempt. */
  readonly firstMs: number;
  readonly longestMs: number;
}

const usual: BackOff = { firstMs: 20, longestMs: 1_000 };

/**
 * Returns the wait after `attempt` (1 is the first) has failed, in milliseconds. The wait is evenly distributed from 0 to the
 * maximum, so that callers that failed together do not retry together. `random` returns 0 to below 1.
 */
export function backOffMs(attempt: number, random: () => number, { firstMs, longestMs }: BackOff = usual): number {
  return Math.floor(random() * Math.min(longestMs, firstMs * 2 ** (attempt - 1)));
}
