import type { Cancel, Cancellation, Clock } from '../../../kernel/context/index.ts';
import { type Refusal, refusal } from '../../../kernel/errors/index.ts';

/** Describes a call that may have to wait. */
export interface Ticket {
  /** Milliseconds since 1970. */
  readonly deadline: number;
  readonly cancellation?: Cancellation;
  /** The operation that is called. */
  readonly what: { readonly module: string; readonly name: string };
}

export interface Waiter {
  readonly ticket: Ticket;
  /** Milliseconds since 1970. */
  readonly since: number;
  readonly begin: () => void;
  readonly refuse: (why: Refusal) => void;
}

/** Minimum time between two searches of the line, since it may be long. */
const leastBetweenLooksMs = 5;

/**
 * Holds waiting calls, first come, first served. Refuses a call that is cancelled or whose deadline passes (to within 5 ms), and
 * removes it from the line. All deadlines share one timer, set to the earliest.
 */
export class WaitingLine {
  /** The calls in their order, with the function that stops listening to the call's cancellation. */
  readonly #waiters = new Map<Waiter, (() => void) | undefined>();
  #looksAt = Number.POSITIVE_INFINITY;
  #lookNoMore: Cancel | undefined;
  private readonly clock: Clock;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  get length(): number {
    return this.#waiters.size;
  }

  /** The call that has waited longest. */
  get oldest(): Waiter | undefined {
    return this.#waiters.keys().next().value;
  }

  /** Adds a call at the end. The call must be neither late nor cancelled. */
  join(waiter: Waiter): void {
    const { cancellation, deadline } = waiter.ticket;
    const turnAway = () => this.#turnAway(waiter, cancelled(waiter.ticket));
    this.#waiters.set(waiter, undefined);
    if (cancellation) this.#waiters.set(waiter, cancellation.onCancel(turnAway));
    this.#lookBy(deadline, waiter.since, 0);
  }

  /** Removes and returns the first call that is still in time. Refuses the late calls before it. */
  take(): Waiter | undefined {
    for (const waiter of this.#waiters.keys()) {
      const why = tooLate(waiter.ticket, this.clock.now());
      if (!why) {
        this.#remove(waiter);
        return waiter;
      }
      this.#turnAway(waiter, why);
    }
    return undefined;
  }

  #remove(waiter: Waiter): void {
    this.#waiters.get(waiter)?.();
    this.#waiters.delete(waiter);
  }

  #turnAway(waiter: Waiter, why: Refusal): void {
    this.#remove(waiter);
    waiter.refuse(why);
  }

  #lookBy(deadline: number, now: number, leastMs: number): void {
    if (deadline >= this.#looksAt) return;
    this.#lookNoMore?.();
    this.#looksAt = deadline;
    this.#lookNoMore = this.clock.after(Math.max(deadline - now, leastMs), () => this.#look());
  }

  #look(): void {
    const now = this.clock.now();
    let earliest = Number.POSITIVE_INFINITY;
    for (const waiter of this.#waiters.keys()) {
      const why = tooLate(waiter.ticket, now);
      if (why) this.#turnAway(waiter, why);
      else earliest = Math.min(earliest, waiter.ticket.deadline);
    }
    this.#looksAt = Number.POSITIVE_INFINITY;
    this.#lookNoMore = undefined;
    this.#lookBy(earliest, now, leastBetweenLooksMs);
  }
}

/** Returns the refusal of a call that is late or cancelled, or `undefined` when the call may begin. */
export function tooLate(ticket: Ticket, now: number): Refusal | undefined {
  if (ticket.cancellation?.cancelled) return cancelled(ticket);
  return ticket.deadline <= now ? late(ticket) : undefined;
}

function late({ what }: Ticket): Refusal {
  return refusal('timeout', `${what.module}.${what.name} had no turn before its deadline; it was not begun`);
}

function cancelled({ what }: Ticket): Refusal {
  return refusal('cancelled', `the caller of ${what.module}.${what.name} has gone; it was not begun`);
}
