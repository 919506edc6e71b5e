interface Listening {
  readonly listener: () => void;
  before: Listening | undefined;
  after: Listening | undefined;
  on: boolean;
}

/**
 * Tells all who work for a call that its answer is no longer wanted: the caller gave up, went away, or the deadline is over. It
 * happens once, and passes on from a call to the calls that were made for it.
 */
export class Cancellation {
  #cancelled = false;
  #last: Listening | undefined;
  #controller: AbortController | undefined;
  /** How it stops listening to its parent, while somebody listens to it. */
  #leaveParent: (() => void) | undefined;

  /** `parent`: of the call that this one is made for. */
  constructor(private readonly parent?: Cancellation) {}

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
    if (this.cancelled) {
      this.#cancelled = true;
      listener();
      return nothing;
    }
    if (!this.#last && this.parent) this.#leaveParent = this.parent.onCancel(() => this.cancel());
    const listening: Listening = { listener, before: this.#last, after: undefined, on: true };
    if (this.#last) this.#last.after = listening;
    this.#last = listening;
    return () => this.#remove(listening);
  }

  cancel(): void {
    if (this.#cancelled) return;
    this.#cancelled = true;
    const told: (() => void)[] = [];
    for (let each = this.#last; each; each = each.before) {
      each.on = false;
      told.push(each.listener);
    }
    this.#last = undefined;
    this.#leaveParent?.();
    for (const listener of told.reverse()) listener();
  }

  #remove(listening: Listening): void {
    if (!listening.on) return;
    listening.on = false;
    if (listening.before) listening.before.after = listening.after;
    if (listening.after) listening.after.before = listening.before;
    else this.#last = listening.before;
    if (this.#last || !this.#leaveParent) return;
    this.#leaveParent();
    this.#leaveParent = undefined;
  }
}

function nothing(): void {}
