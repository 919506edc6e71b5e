/** Somebody who is told once; in the list of whom it listens to, so that joining and leaving cost next to nothing. */
export abstract class CancelListener {
  before: CancelListener | undefined = undefined;
  after: CancelListener | undefined = undefined;
  of: Cancellation | undefined = undefined;

  /** The answer is no longer wanted. */
  abstract told(): void;
}

/**
 * Tells all who work for a call that its answer is no longer wanted: the caller gave up, went away, or the deadline is over. It
 * happens once, and passes on from a call to the calls that were made for it: it listens to its parent while somebody listens
 * to it.
 */
export class Cancellation extends CancelListener {
  #cancelled = false;
  #last: CancelListener | undefined = undefined;
  #controller: AbortController | undefined = undefined;

  /** `parent`: of the call that this one is made for. */
  constructor(private readonly parent?: Cancellation) {
    super();
  }

  get cancelled(): boolean {
    return this.#cancelled || (this.parent?.cancelled ?? false);
  }

  /** For whatever takes an `AbortSignal`, such as `fetch`. Made when it is first asked for: most calls end without one. */
  get signal(): AbortSignal {
    if (!this.#controller) {
      const controller = new AbortController();
      this.#controller = controller;
      this.onCancel(() => controller.abort());
    }
    return this.#controller.signal;
  }

  /** Calls `listener` when it happens; at once when it has. Returns the way to listen no more. */
  onCancel(listener: () => void): () => void {
    const listening = new Told(listener);
    this.listen(listening);
    return () => this.ignore(listening);
  }

  /** As `onCancel`, for who is a listener itself. */
  listen(listener: CancelListener): void {
    if (this.cancelled) {
      this.#cancelled = true;
      listener.told();
      return;
    }
    if (!this.#last && this.parent) this.parent.listen(this);
    listener.of = this;
    listener.before = this.#last;
    if (this.#last) this.#last.after = listener;
    this.#last = listener;
  }

  /** Has no effect on one that does not listen. */
  ignore(listener: CancelListener): void {
    if (listener.of !== this) return;
    const { before, after } = listener;
    listener.of = listener.before = listener.after = undefined;
    if (before) before.after = after;
    if (after) after.before = before;
    else this.#last = before;
    if (!this.#last && this.parent) this.parent.ignore(this);
  }

  /** The call has ended: nobody who worked for it needs to be told any more. */
  release(): void {
    for (let each = this.#last; each; ) {
      const { before } = each;
      each.of = each.before = each.after = undefined;
      each = before;
    }
    this.#last = undefined;
    this.parent?.ignore(this);
  }

  cancel(): void {
    if (this.#cancelled) return;
    this.#cancelled = true;
    this.parent?.ignore(this);
    const listeners: CancelListener[] = [];
    for (let each = this.#last; each; each = each.before) listeners.push(each);
    // Whoever is told may have another listen no more: that one is told nothing.
    for (const each of listeners.reverse()) {
      if (each.of !== this) continue;
      this.ignore(each);
      each.told();
    }
  }

  override told(): void {
    this.cancel();
  }
}

class Told extends CancelListener {
  constructor(private readonly listener: () => void) {
    super();
  }

  override told(): void {
    this.listener();
  }
}
