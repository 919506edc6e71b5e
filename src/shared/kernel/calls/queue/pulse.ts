import type { Cancel, Clock } from '../../context/index.ts';
import type { Silence } from '../silence.ts';

/** Finds out that the other side no longer answers, though the connection says nothing. */
export class Pulse {
  #silentMs = 0;
  #next: Cancel | undefined;
  private readonly silence: Silence;
  private readonly clock: Clock;
  private readonly ask: () => void;
  private readonly gone: () => void;

  /** `ask` wants to be answered with `heard`; `gone` is called once, when nothing was heard for too long. */
  constructor(silence: Silence, clock: Clock, ask: () => void, gone: () => void) {
    this.silence = silence;
    this.clock = clock;
    this.ask = ask;
    this.gone = gone;
    this.#wait();
  }

  heard(): void {
    this.#silentMs = 0;
  }

  stop(): void {
    this.#next?.();
  }

  #wait(): void {
    const { askAfterMs, goneAfterMs } = this.silence;
    // A pause of this process itself counts as one step only: nobody has been silent in it.
    this.#next = this.clock.after(askAfterMs, () => {
      this.#silentMs += askAfterMs;
      if (this.#silentMs >= goneAfterMs) return this.gone();
      this.#wait();
      this.ask();
    });
  }
}
