/**
 * Runs the tasks of one key in sequence, in order of arrival, and the tasks of different keys concurrently. When a task fails, the
 * tasks that wait behind it fail too, so that no task overtakes one that the caller will retry.
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
