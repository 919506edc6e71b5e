import { background } from './background.ts';
import type { Clock } from './clock.ts';

/** A clock for tests. Its time moves only when a test calls `advance`. */
export class ManualClock implements Clock {
  #now: number;
  #tasks: { at: number; task: () => void }[] = [];

  constructor(startMs = Date.UTC(2026, 0, 1)) {
    this.#now = startMs;
  }

  now(): number {
    return this.#now;
  }

  after(delayMs: number, task: () => void): () => void {
    const entry = { at: this.#now + delayMs, task };
    this.#tasks.push(entry);
    return () => {
      this.#tasks = this.#tasks.filter((other) => other !== entry);
    };
  }

  /** Moves the time forward and runs the tasks that become due, in order. A clock that is set back leaves the wait of each task as it was. */
  advance(byMs: number): void {
    const end = this.#now + byMs;
    if (byMs < 0) for (const entry of this.#tasks) entry.at += byMs;
    for (;;) {
      const due = this.#tasks.filter((entry) => entry.at <= end).sort((a, b) => a.at - b.at)[0];
      if (!due) break;
      this.#tasks = this.#tasks.filter((entry) => entry !== due);
      this.#now = Math.max(this.#now, due.at);
      background.run(due.task);
    }
    this.#now = end;
  }
}
