import type { Cancel, Clock } from '../../kernel/context/index.ts';
import type { Silence } from '../../kernel/ports/index.ts';

/** Detects that the other side no longer answers, even if the connection reports no error. */
export class Pulse {
  #silentMs = 0;
  #next: Cancel | undefined;
  private readonly silence: Silence;
  private readonly clock: Clock;
  private readonly ask: () => void;
  private readonly gone: () => void;

  /** Calls `ask` to get a sign of life, which the owner reports with `heard`. Calls `gone` once, after too long a silence. */
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
    // A pause of this process itself counts as one step only, since it is not the other side's silence.
    this.#next = this.clock.after(askAfterMs, () => {
      this.#silentMs += askAfterMs;
      if (this.#silentMs >= goneAfterMs) return this.gone();
      this.#wait();
      this.ask();
    });
  }
}
