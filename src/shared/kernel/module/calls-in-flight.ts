/** Counts the calls to a module that are in flight in this process. */
export class CallsInFlight {
  #count = 0;
  #whenIdle: (() => void)[] = [];

  get count(): number {
    return this.#count;
  }

  begun(): void {
    this.#count += 1;
  }

  ended(): void {
    this.#count -= 1;
    if (this.#count > 0) return;
    const waiting = this.#whenIdle;
    this.#whenIdle = [];
    for (const resolve of waiting) resolve();
  }

  /** Counts one call until `answer` settles. */
  until<T>(answer: Promise<T>): Promise<T> {
    this.begun();
    const ended = () => this.ended();
    answer.then(ended, ended);
    return answer;
  }

  /** Resolves when no call is in flight. */
  idle(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#count === 0) resolve();
      else this.#whenIdle.push(resolve);
    });
  }
}
