import type { Clock } from '../../context/index.ts';
import type { Link } from '../transport.ts';
import { ping } from './upstream.ts';

/** Enough that the way is known to be open and its code has run. */
const warmCalls = 20;
/** Whoever has much to do may take as long as this to answer. */
const latestMs = 3_000;
/** So many that take longer are no exception any more. */
const mostLate = 8;

export interface Timed {
  readonly calls: number;
  /** The pause between two, in milliseconds. */
  readonly everyMs: number;
  /** After so long there are no more, in milliseconds. */
  readonly forMs: number;
}

/** Asks one instance of a module again and again, by a way of its own: no other call goes there. */
export class Probe {
  #late = 0;
  private readonly module: string;
  private readonly link: Link;
  private readonly clock: Clock;

  constructor(module: string, link: Link, clock: Clock) {
    this.module = module;
    this.link = link;
    this.clock = clock;
  }

  /**
   * Makes sure that it serves the module, before anybody else calls it. The first calls of a new process may be late; rejects when
   * it does not answer well in the end.
   */
  async warm(): Promise<void> {
    for (let answered = 0; answered < warmCalls; ) if (await this.#answers()) answered += 1;
  }

  /** How long each call takes once it is warm, one after the other, in milliseconds. Rejects when too many are not answered. */
  async time({ calls, everyMs, forMs }: Timed): Promise<number[]> {
    const times: number[] = [];
    const end = performance.now() + forMs;
    for (let call = -warmCalls; call < calls && (times.length === 0 || performance.now() < end); call++) {
      const startedAt = performance.now();
      const answered = await this.#answers();
      if (answered && call >= 0) times.push(performance.now() - startedAt);
      if (everyMs > 0) await new Promise<void>((resolve) => this.clock.after(everyMs, resolve));
    }
    return times;
  }

  close(): Promise<void> {
    return this.link.close();
  }

  /** Whether it answers in time. */
  async #answers(): Promise<boolean> {
    try {
      await ping(this.module, this.link, this.clock, latestMs);
      return true;
    } catch (error) {
      this.#late += 1;
      if (this.#late >= mostLate) throw error;
      return false;
    }
  }
}
