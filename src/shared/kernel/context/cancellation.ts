import { type Due, dueAt, notDue, type Slot } from './deadlines.ts';

/** Somebody who is told once; in the list of whom it listens to, so that joining and leaving cost next to nothing. */
export interface CancelListener {
  before: CancelListener | undefined;
  after: CancelListener | undefined;
  of: Cancellation | undefined;

  /** The answer is no longer wanted. */
  told(): void;
}

/** Why whoever waited for an answer waits no more. */
export type GivenUp = 'late' | 'unwanted';

/**
 * Tells all who work for a call that its answer is no longer wanted: the caller gave up, went away, or the deadline is over. It
 * happens once, and passes on from a call to the calls that were made for it: it listens to its parent while somebody listens
 * to it.
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
  #waiter: ((why: GivenUp) => void) | undefined = undefined;
  #controller: AbortController | undefined = undefined;
  private readonly parent?: Cancellation;

  /** `parent`: of the call that this one is made for. */
  constructor(parent?: Cancellation) {
    this.parent = parent;
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

  /**
   * Has `waiter`, who waits for the call's answer, told when it happens, and makes it happen when the deadline is over (to within 32
   * ms), in milliseconds since 1970; until `release`. One may wait.
   */
  wait(deadline: number, waiter: (why: GivenUp) => void): void {
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

  /** Calls `listener` when it happens; at once when it has. Returns the way to listen no more. */
  onCancel(listener: () => void): () => void {
    const listening: CancelListener = { before: undefined, after: undefined, of: undefined, told: listener };
    this.listen(listening);
    return () => this.ignore(listening);
  }

  /** As `onCancel`, for who is a listener itself. */
  listen(listener: CancelListener): void {
    if (this.cancelled) {
      this.#end('unwanted');
      listener.told();
      return;
    }
    this.#join(listener);
  }

  /** Neither this one nor those it was made for have happened: that was looked at. */
  #join(listener: CancelListener): void {
    if (this.parent && !this.#last && !this.#waiter) this.parent.#join(this);
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
    if (!this.#last && !this.#waiter) this.parent?.ignore(this);
  }

  /** The call has ended: nobody who waited or worked for it needs to be told any more. */
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

  #end(why: GivenUp): void {
    if (this.#cancelled) return;
    this.#cancelled = true;
    this.parent?.ignore(this);
    notDue(this);
    const waiter = this.#waiter;
    this.#waiter = undefined;
    waiter?.(why);
    const listeners: CancelListener[] = [];
    for (let each = this.#last; each; each = each.before) listeners.push(each);
    // Whoever is told may have another listen no more: that one is told nothing.
    for (const each of listeners.reverse()) {
      if (each.of !== this) continue;
      this.ignore(each);
      each.told();
    }
  }
}
