import { background } from '../context/index.ts';
import type { Log } from '../telemetry/index.ts';

export type EndTask = () => void | Promise<void>;

/** What only one instance does. Begins and ends one after the other, however often it is turned on and off meanwhile. */
export class LeaderTasks {
  readonly #begins: (() => Promise<EndTask>)[] = [];
  #ends: EndTask[] = [];
  #wanted = false;
  #running = false;
  #turning = Promise.resolve();
  private readonly log: Log;
  /** Told when it could not begin, after what had begun of it has ended. */
  private readonly failed: () => void;

  constructor(log: Log, failed: () => void) {
    this.log = log;
    this.failed = failed;
  }

  /** Whether it is on, or about to be. */
  get wanted(): boolean {
    return this.#wanted;
  }

  /** Whether any of it has begun and not ended, or is about to. */
  get running(): boolean {
    return this.#running;
  }

  add(begin: () => Promise<EndTask>): void {
    this.#begins.push(begin);
  }

  /** Resolves when what it was last turned to has begun, or ended. */
  turned(): Promise<void> {
    return this.#turning;
  }

  /** Resolves when it has begun, or ended. What cannot begin is logged, ended, and begun again when it is next wanted. */
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
