import { type Due, dueAt, notDue, type Slot } from './deadline-timer.ts';

/** Hears of a cancellation once. It is a node in the cancellation's list, so that joining and leaving cost almost nothing. */
export interface CancelListener {
  before: CancelListener | undefined;
  after: CancelListener | undefined;
  of: Cancellation | undefined;

  /** The answer is no longer wanted. */
  told(): void;
}

/** Why a caller no longer waits for its answer. */
export type CancelReason = 'late' | 'unwanted';

/**
 * Tells all code that works for a call that its answer is no longer wanted: the caller cancelled or disconnected, or the deadline has
 * passed. A cancellation fires once. It passes from a call to the calls made for it: it listens to its parent while it has a
 * listener or a waiter.
 */
export class Cancellation implements CancelListener, Due {
  before: CancelListener | undefined = undefined;
  after: CancelListener | undefined = undefined;
  of: Cancellation | undefined = undefined;
  earlier: Due | undefined = undefined;
  later: Due | undefined = undefined;
  slot: Slot | undefined = undefined;
  #cancelled = false;
  #last: CancelListener | undefined = undefined;
  #waiter: ((why: CancelReason) => void) | undefined = undefined;
  #controller: AbortController | undefined = undefined;
  private readonly parent?: Cancellation;

  /** `parent` is the cancellation of the call that this call is made for. */
  constructor(parent?: Cancellation) {
    this.parent = parent;
  }

  get cancelled(): boolean {
    return this.#cancelled || (this.parent?.cancelled ?? false);
  }

  /** Returns an `AbortSignal`, for functions such as `fetch`. Creates it on first use, since most calls need none. */
  get signal(): AbortSignal {
    if (!this.#controller) {
      const controller = new AbortController();
      this.#controller = controller;
      this.onCancel(() => controller.abort());
    }
    return this.#controller.signal;
  }

  /**
   * Calls `waiter`, which waits for the call's answer, when the cancellation fires. Fires it at `deadline`, in milliseconds since
   * 1970, to within 32 ms. `release` ends both. Throws when there is a waiter already.
   */
  wait(deadline: number, waiter: (why: CancelReason) => void): void {
    if (this.#waiter) throw new Error('a call that is waited for has a deadline already');
    if (this.cancelled) {
      this.#end('unwanted');
      waiter('unwanted');
      return;
    }
    if (this.parent && !this.#last) this.parent.#join(this);
    this.#waiter = waiter;
    dueAt(this, deadline);
  }

  /** Calls `listener` when the cancellation fires; at once when it has fired. Returns a function that removes the listener. */
  onCancel(listener: () => void): () => void {
    const listening: CancelListener = { before: undefined, after: undefined, of: undefined, told: listener };
    this.listen(listening);
    return () => this.ignore(listening);
  }

  /** Does the same as `onCancel` for an object that is a listener itself. */
  listen(listener: CancelListener): void {
    if (this.cancelled) {
      this.#end('unwanted');
      listener.told();
      return;
    }
    this.#join(listener);
  }

  /** Adds a listener. The caller has checked that neither this cancellation nor a parent has fired. */
  #join(listener: CancelListener): void {
    if (this.parent && !this.#last && !this.#waiter) this.parent.#join(this);
    listener.of = this;
    listener.before = this.#last;
    if (this.#last) this.#last.after = listener;
    this.#last = listener;
  }

  /** Removes a listener. Has no effect on an object that does not listen here. */
  ignore(listener: CancelListener): void {
    if (listener.of !== this) return;
    const { before, after } = listener;
    listener.of = listener.before = listener.after = undefined;
    if (before) before.after = after;
    if (after) after.before = before;
    else this.#last = before;
    if (!this.#last && !this.#waiter) this.parent?.ignore(this);
  }

  /** Removes the waiter and all listeners, since the call has ended. */
  release(): void {
    for (let each = this.#last; each; ) {
      const { before } = each;
      each.of = each.before = each.after = undefined;
      each = before;
    }
    this.#last = undefined;
    this.#waiter = undefined;
    notDue(this);
    this.parent?.ignore(this);
  }

  cancel(): void {
    this.#end('unwanted');
  }

  told(): void {
    this.#end('unwanted');
  }

  late(): void {
    this.#end('late');
  }

  #end(why: CancelReason): void {
    if (this.#cancelled) return;
    this.#cancelled = true;
    this.parent?.ignore(this);
    notDue(this);
    const waiter = this.#waiter;
    this.#waiter = undefined;
    waiter?.(why);
    const listeners: CancelListener[] = [];
    for (let each = this.#last; each; each = each.before) listeners.push(each);
    // A listener may remove another listener, which is then not called.
    for (const each of listeners.reverse()) {
      if (each.of !== this) continue;
      this.ignore(each);
      each.told();
    }
  }
}
