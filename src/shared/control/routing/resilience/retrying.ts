import { isNotSent } from '../../../kernel/calls/index.ts';
import type { Clock } from '../../../kernel/context/index.ts';
import type { Operation } from '../../../kernel/contract/index.ts';
import { isRefusal } from '../../../kernel/errors/index.ts';

/**
 * Returns whether another attempt is safe and may help. A call refused as `overloaded` has not begun. A call refused as
 * `unavailable` may have taken effect, unless it was never sent. Any other error would occur again, or no caller waits any more.
 */
export function mayRetry(kind: Operation['kind'], hasKey: boolean, error: unknown): boolean {
  if (isRefusal(error, 'overloaded')) return true;
  if (!isRefusal(error, 'unavailable')) return false;
  return kind === 'query' || hasKey || isNotSent(error);
}

/** Maximum wait after the first attempt. It doubles with each attempt. */
const firstBackOffMs = 20;
const longestBackOffMs = 1_000;

/**
 * Returns the wait after `attempt` (1 is the first) has failed, in milliseconds. The wait is evenly distributed from 0 to the
 * maximum, so that callers that failed together do not retry together. `random` returns 0 to below 1.
 */
export function backOffMs(attempt: number, random: () => number): number {
  return Math.floor(random() * Math.min(longestBackOffMs, firstBackOffMs * 2 ** (attempt - 1)));
}

/** Amounts in thousandths of a retry. A millisecond is worth one, so that rounding loses nothing. */
const worth = { call: 100, retry: 1_000, millisecond: 1 };
const initial = 10_000;
const most = 100_000;

/**
 * Limits the load that a caller's retries add to its callee. It admits one retry per ten calls, plus one per second for rare
 * callers. It starts with 10 retries, and saves up to 100 unused ones.
 */
export class RetryBudget {
  #saved = initial;
  #countedAt: number;
  private readonly clock: Clock;

  constructor(clock: Clock) {
    this.clock = clock;
    this.#countedAt = clock.now();
  }

  /** Records the first attempt of a call. */
  called(): void {
    this.#save(worth.call);
  }

  /** Returns whether the caller may retry now. If so, takes one retry from the budget. */
  admitsRetry(): boolean {
    const now = this.clock.now();
    this.#save(Math.max(0, now - this.#countedAt) * worth.millisecond);
    this.#countedAt = now;
    if (this.#saved < worth.retry) return false;
    this.#saved -= worth.retry;
    return true;
  }

  #save(amount: number): void {
    this.#saved = Math.min(most, this.#saved + amount);
  }
}
