import type { Clock } from '../../context/index.ts';

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
