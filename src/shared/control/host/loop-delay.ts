import { type Clock, steadyClock } from '../../kernel/context/index.ts';

const tickMs = 500;
/** A delay is remembered for one to two windows. */
const windowMs = 10_000;
/** A loop that turns later than this is blocked. No work of the system takes a part of that time. */
const blockedMs = 10_000;

/**
 * Measures how late the event loop of this process turns, to within half a second. An answer to a probe proves that the loop turns
 * now; the measurement says whether it was blocked a short time before.
 */
export class LoopDelay {
  #tickAt: number;
  #windowAt: number;
  #longest = 0;
  #longestBefore = 0;
  private readonly clock: Clock;

  constructor(clock: Clock = steadyClock) {
    this.clock = clock;
    this.#tickAt = clock.now() + tickMs;
    this.#windowAt = clock.now();
    this.#tick();
  }

  /** The longest delay of the last ten to twenty seconds, in whole milliseconds. It includes a delay that has just ended. */
  get longestMs(): number {
    return Math.round(Math.max(this.#longest, this.#longestBefore, this.clock.now() - this.#tickAt));
  }

  /** Whether the loop was blocked in the last ten to twenty seconds. */
  get blocked(): boolean {
    return this.longestMs > blockedMs;
  }

  #tick(): void {
    this.#tickAt = this.clock.now() + tickMs;
    this.clock.after(tickMs, () => {
      this.#note(this.clock.now());
      this.#tick();
    });
  }

  #note(now: number): void {
    if (now - this.#windowAt >= windowMs) {
      this.#longestBefore = this.#longest;
      this.#longest = 0;
      this.#windowAt = now;
    }
    this.#longest = Math.max(this.#longest, now - this.#tickAt);
  }
}
