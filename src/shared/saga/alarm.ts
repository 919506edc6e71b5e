import type { Clock } from '../clock/index.ts';

const leastMs = 20;

/** Wakes somebody once, at the earliest of the times that it was set to. */
export class Alarm {
  #at = Number.POSITIVE_INFINITY;
  #cancel = () => {};

  constructor(
    private readonly clock: Clock,
    private readonly wake: () => void,
  ) {}

  set(delayMs: number): void {
    const at = this.clock.now() + Math.max(leastMs, delayMs);
    if (this.#at <= at) return;
    this.#cancel();
    this.#at = at;
    this.#cancel = this.clock.after(at - this.clock.now(), () => {
      this.#at = Number.POSITIVE_INFINITY;
      this.wake();
    });
  }

  off(): void {
    this.#cancel();
    this.#at = Number.POSITIVE_INFINITY;
  }
}
