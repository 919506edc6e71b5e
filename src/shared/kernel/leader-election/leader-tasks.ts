import { background } from '../context/index.ts';
import type { Log } from '../telemetry/index.ts';

export type EndTask = () => void | Promise<void>;

/** Begins and ends the tasks that only the leader runs. Does so in sequence, however often the caller turns them on and off. */
export class LeaderTasks {
  readonly #begins: (() => Promise<EndTask>)[] = [];
  #ends: EndTask[] = [];
  #wanted = false;
  #running = false;
  #turning = Promise.resolve();
  private readonly log: Log;
  /** Called when a task cannot begin, after the tasks that had begun have ended. */
  private readonly failed: () => void;

  constructor(log: Log, failed: () => void) {
    this.log = log;
    this.failed = failed;
  }

  /** Whether the tasks are on, or about to be. */
  get wanted(): boolean {
    return this.#wanted;
  }

  /** Whether any task has begun and not ended, or is about to begin. */
  get running(): boolean {
    return this.#running;
  }

  add(begin: () => Promise<EndTask>): void {
    this.#begins.push(begin);
  }

  /** Resolves when the tasks have begun or ended, as the last `turn` asked. */
  turned(): Promise<void> {
    return this.#turning;
  }

  /**
   * Begins or ends all tasks; resolves when they have begun or ended. When a task cannot begin, logs the error and ends the tasks
   * that have begun. The next `turn(true)` begins all tasks again.
   */
  turn(on: boolean): Promise<void> {
    if (on === this.#wanted) return this.#turning;
    this.#wanted = on;
    const before = this.#turning;
    this.#turning = background.run(async () => {
      await before;
      await (on ? this.#begin() : this.#end());
    });
    return this.#turning;
  }

  async #begin(): Promise<void> {
    if (!this.#wanted || this.#running) return;
    this.#running = true;
    try {
      for (const begin of this.#begins) this.#ends.push(await begin());
    } catch (error) {
      this.log.error({ error }, 'what only one instance does could not begin; trying again');
      await this.#end();
      this.#wanted = false;
      this.failed();
    }
  }

  async #end(): Promise<void> {
    for (const end of this.#ends.splice(0).reverse()) {
      try {
        await end();
      } catch (error) {
        this.log.error({ error }, 'what only one instance does could not be ended in order');
      }
    }
    this.#running = false;
  }
}
