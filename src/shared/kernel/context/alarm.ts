import type { Clock } from './clock.ts';

const leastMs = 20;
const longestMs = 1_000;

/**
 * Calls `wake` once, at the earliest time that was set, and after a second at the latest. `wake` reads the clock and sets the
 * alarm again, so a step of the clock delays it by a second at most.
 */
export class Alarm {
  #at = Number.POSITIVE_INFINITY;
  #cancel = () => {};
  private readonly clock: Clock;
  private readonly wake: () => void;

  constructor(clock: Clock, wake: () => void) {
    this.clock = clock;
    this.wake = wake;
  }

  /** Calls `wake` in `delayMs`, unless the alarm is set to an earlier time already. `Infinity` changes nothing. */
  set(delayMs: number): void {
    if (delayMs === Number.POSITIVE_INFINITY) return;
    const waitMs = Math.min(longestMs, Math.max(leastMs, delayMs));
    const at = this.clock.now() + waitMs;
    if (this.#at <= at) return;
    this.#cancel();
    this.#at = at;
    this.#cancel = this.clock.after(waitMs, () => {
      this.#at = Number.POSITIVE_INFINITY;
      this.wake();
    });
  }

  off(): void {
    this.#cancel();
    this.#at = Number.POSITIVE_INFINITY;
  }
}
