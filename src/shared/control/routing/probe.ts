import type { Link } from '../../kernel/calls/index.ts';
import { type Clock, pause } from '../../kernel/context/index.ts';
import { ping } from './upstream.ts';

/** Enough calls to open the connection and to warm up its code. */
const warmCalls = 20;
/** Maximum time that a busy instance may take to answer. */
const latestMs = 3_000;
/** The probe fails at this number of failed calls. */
const maxLate = 8;

export interface Timed {
  readonly calls: number;
  /** The pause between two calls, in milliseconds. */
  readonly everyMs: number;
  /** The probe stops after this time, in milliseconds. */
  readonly forMs: number;
}

/** Pings one instance of a module repeatedly over its own link. No other call uses this link. */
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
   * Checks that the instance serves the module, before any other call goes there. The first calls of a new process may be late.
   * Rejects when too many calls fail.
   */
  async warm(): Promise<void> {
    for (let answered = 0; answered < warmCalls; ) if (await this.#answers()) answered += 1;
  }

  /** Returns the duration of each call after the warm-up, in milliseconds. The calls are sequential. Rejects when too many fail. */
  async time({ calls, everyMs, forMs }: Timed): Promise<number[]> {
    const times: number[] = [];
    const end = performance.now() + forMs;
    for (let call = -warmCalls; call < calls && (times.length === 0 || performance.now() < end); call++) {
      const startedAt = performance.now();
      const answered = await this.#answers();
      if (answered && call >= 0) times.push(performance.now() - startedAt);
      if (everyMs > 0) await pause(this.clock, everyMs);
    }
    return times;
  }

  close(): Promise<void> {
    return this.link.close();
  }

  /** Resolves with whether the instance answers in time. Rejects when too many calls have failed. */
  async #answers(): Promise<boolean> {
    try {
      await ping(this.module, this.link, this.clock, latestMs);
      return true;
    } catch (error) {
      this.#late += 1;
      if (this.#late >= maxLate) throw error;
      return false;
    }
  }
}
