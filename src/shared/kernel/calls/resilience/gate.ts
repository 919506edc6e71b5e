import { type Clock, keepContext } from '../../context/index.ts';
import type { Refusal } from '../../errors/index.ts';
import { type Ticket, tooLate, WaitingLine } from './line.ts';

/** Lets `concurrency` tasks run at once; the others wait in line, if they may. */
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

  /** How many run. */
  get running(): number {
    return this.#running;
  }

  get waiting(): number {
    return this.#line.length;
  }

  /**
   * Runs `task`, at once when there is room, and answers as it does. Refuses with `overloaded` when there is no use in
   * waiting, with `timeout` or `cancelled` when the deadline has passed or the answer is no longer wanted before it begins. A
   * task that was refused was not begun.
   */
  run<T>(task: () => Promise<T>, ticket: Ticket): Promise<T> {
    const now = this.clock.now();
    const why = tooLate(ticket, now);
    if (why) return Promise.reject(why);
    if (this.#running < this.concurrency) return this.#begin(task);
    const overloaded = this.refuseToWait(ticket, now, this.#line);
    return overloaded ? Promise.reject(overloaded) : this.#wait(task, ticket, now);
  }

  /** The `overloaded` for a call that shall not join the line. */
  protected abstract refuseToWait(ticket: Ticket, now: number, line: WaitingLine): Refusal | undefined;

  #wait<T>(task: () => Promise<T>, ticket: Ticket, since: number): Promise<T> {
    // It will be begun by the end of another call, and must not run in that call's context.
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

/** Also what throws at once, or returns no promise, ends later: a place is freed once, and never while it is taken. */
async function asPromised<T>(task: () => Promise<T>): Promise<T> {
  return await task();
}
