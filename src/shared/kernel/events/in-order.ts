/**
 * Runs tasks of one key one after the other, in the order they came; those of different keys side by side. What stands behind a
 * task that fails fails with it, so that nothing overtakes what is to be tried again.
 */
export class InOrder {
  readonly #last = new Map<string, Promise<unknown>>();

  run<T>(key: string, task: () => Promise<T>): Promise<T> {
    const before = this.#last.get(key);
    const run = before ? before.then(task) : task();
    this.#last.set(key, run);
    const clear = () => {
      if (this.#last.get(key) === run) this.#last.delete(key);
    };
    run.then(clear, clear);
    return run;
  }

  /** Resolves when nothing is in flight. */
  async idle(): Promise<void> {
    while (this.#last.size > 0) await Promise.allSettled(this.#last.values());
  }
}
