import { type Clock, keepContext } from '../../../kernel/context/index.ts';
import type { Refusal } from '../../../kernel/errors/index.ts';
import { type Ticket, tooLate, WaitingLine } from './line.ts';

/** Runs up to `concurrency` tasks at once. Other tasks wait in line, or are refused. */
export abstract class Gate {
  readonly #line: WaitingLine;
  #running = 0;
  protected readonly concurrency: number;
  private readonly clock: Clock;

  constructor(concurrency: number, clock: Clock) {
    this.concurrency = concurrency;
    this.clock = clock;
    this.#line = new WaitingLine(clock);
  }

  /** The number of running tasks. */
  get running(): number {
    return this.#running;
  }

  /** Whether a task that comes now waits or is refused. */
  get isFull(): boolean {
    return this.#running >= this.concurrency;
  }

  get waiting(): number {
    return this.#line.length;
  }

  /**
   * Runs `task`, at once when there is room, and settles like the task. Rejects with `overloaded` when waiting is useless. Rejects
   * with `timeout` or `cancelled` when the deadline passes, or the answer is no longer wanted, before the task begins. A refused
   * task has not begun.
   */
  run<T>(task: () => Promise<T>, ticket: Ticket): Promise<T> {
    const now = this.clock.now();
    const why = tooLate(ticket, now);
    if (why) return Promise.reject(why);
    if (!this.isFull) return this.#begin(task);
    const overloaded = this.refuseToWait(ticket, now, this.#line);
    return overloaded ? Promise.reject(overloaded) : this.#wait(task, ticket, now);
  }

  /** Returns the `overloaded` refusal of a call that must not join the line. */
  protected abstract refuseToWait(ticket: Ticket, now: number, line: WaitingLine): Refusal | undefined;

  #wait<T>(task: () => Promise<T>, ticket: Ticket, since: number): Promise<T> {
    // The end of another call starts the task, which must not run in that call's context.
    const inContext = keepContext();
    return new Promise((resolve, refuse) => {
      const begin = () => resolve(this.#begin(() => inContext(task)));
      this.#line.join({ ticket, since, begin, refuse });
    });
  }

  #begin<T>(task: () => Promise<T>): Promise<T> {
    this.#running += 1;
    const work = asPromised(task);
    work.then(this.#end, this.#end);
    return work;
  }

  readonly #end = () => {
    this.#running -= 1;
    this.#line.take()?.begin();
  };
}

/** Runs a task that may throw at once or return no promise. It always ends later, so that its place is taken first and freed once. */
async function asPromised<T>(task: () => Promise<T>): Promise<T> {
  return await task();
}
