/**
 * Tells all who work for a call that its answer is no longer wanted: the caller gave up, went away, or the deadline is over. It
 * happens once, and passes on to the calls that were made for this one.
 */
export class Cancellation {
  #cancelled = false;
  #listeners: Set<() => void> | undefined;
  #controller: AbortController | undefined;

  get cancelled(): boolean {
    return this.#cancelled;
  }

  /** For whatever takes an `AbortSignal`, such as `fetch`. Made when it is first asked for: most calls end without one. */
  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController();
      if (this.#cancelled) this.#controller.abort();
    }
    return this.#controller.signal;
  }

  /** Calls `listener` when it happens; at once when it has. Returns the way to listen no more. */
  onCancel(listener: () => void): () => void {
    if (this.#cancelled) {
      listener();
      return () => {};
    }
    this.#listeners ??= new Set();
    this.#listeners.add(listener);
    return () => void this.#listeners?.delete(listener);
  }

  cancel(): void {
    if (this.#cancelled) return;
    this.#cancelled = true;
    const listeners = this.#listeners;
    this.#listeners = undefined;
    this.#controller?.abort();
    for (const listener of listeners ?? []) listener();
  }
}
