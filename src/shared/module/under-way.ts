/** Counts the calls that are under way to the modules of this process. */
export class UnderWay {
  readonly #counts = new Map<string, number>();
  readonly #whenIdle = new Map<string, (() => void)[]>();

  count(module: string): number {
    return this.#counts.get(module) ?? 0;
  }

  /** `call` never throws: what it refuses, its promise does. */
  run<T>(module: string, call: () => Promise<T>): Promise<T> {
    this.#counts.set(module, this.count(module) + 1);
    const answer = call();
    const ended = () => this.#ended(module);
    answer.then(ended, ended);
    return answer;
  }

  /** Resolves when no call to `module` is under way here. */
  idle(module: string): Promise<void> {
    return new Promise((resolve) => {
      if (this.count(module) === 0) return resolve();
      this.#whenIdle.set(module, [...(this.#whenIdle.get(module) ?? []), resolve]);
    });
  }

  #ended(module: string): void {
    const left = this.count(module) - 1;
    this.#counts.set(module, left);
    if (left === 0) for (const resolve of this.#takeWaiting(module)) resolve();
  }

  #takeWaiting(module: string): (() => void)[] {
    const waiting = this.#whenIdle.get(module) ?? [];
    this.#whenIdle.delete(module);
    return waiting;
  }
}
