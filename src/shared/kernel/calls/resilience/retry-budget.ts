import type { Clock } from '../../context/index.ts';

/** In thousandths of a retry, so that a millisecond is worth one and nothing is lost to rounding. */
const worth = { call: 100, retry: 1_000, millisecond: 1 };
const initial = 10_000;
const most = 100_000;

/**
 * How much retrying a caller may add to the load of what it calls: a tenth of its calls, one a second for who calls seldom,
 * and 10 to begin with. What is not used is kept, up to 100.
 */
export class RetryBudget {
  #saved = initial;
  #countedAt: number;
  private readonly clock: Clock;

  constructor(clock: Clock) {
    this.clock = clock;
    this.#countedAt = clock.now();
  }

  /** A call was made for the first time. */
  called(): void {
    this.#save(worth.call);
  }

  /** Whether one retry may be made now; when it may, it is taken from the budget. */
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
