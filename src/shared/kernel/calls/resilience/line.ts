import type { Cancel, Cancellation, Clock } from '../../context/index.ts';
import { type Refusal, refusal } from '../../errors/index.ts';

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

interface Place {
  readonly waiter: Waiter;
  ahead: Place | undefined;
  behind: Place | undefined;
  listenNoMore: (() => void) | undefined;
}

/** Minimum time between two searches of the line, since it may be long. */
const leastBetweenLooksMs = 5;

/**
 * Holds waiting calls, first come, first served. Refuses a call that is cancelled or whose deadline passes (to within 5 ms), and
 * removes it from the line. All deadlines share one timer, set to the earliest.
 */
export class WaitingLine {
  #length = 0;
  #first: Place | undefined;
  #last: Place | undefined;
  #looksAt = Number.POSITIVE_INFINITY;
  #lookNoMore: Cancel | undefined;
  private readonly clock: Clock;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  get length(): number {
    return this.#length;
  }

  /** The call that has waited longest. */
  get oldest(): Waiter | undefined {
    return this.#first?.waiter;
  }

  /** Adds a call at the end. The call must be neither late nor cancelled. */
  join(waiter: Waiter): void {
    const place: Place = { waiter, ahead: this.#last, behind: undefined, listenNoMore: undefined };
    if (this.#last) this.#last.behind = place;
    else this.#first = place;
    this.#last = place;
    this.#length += 1;
    const { cancellation, deadline } = waiter.ticket;
    place.listenNoMore = cancellation?.onCancel(() => this.#turnAway(place, cancelled(waiter.ticket)));
    this.#lookBy(deadline, waiter.since, 0);
  }

  /** Removes and returns the first call that is still in time. Refuses the late calls before it. */
  take(): Waiter | undefined {
    for (let place = this.#first; place; place = this.#first) {
      const why = tooLate(place.waiter.ticket, this.clock.now());
      if (!why) {
        this.#remove(place);
        return place.waiter;
      }
      this.#turnAway(place, why);
    }
    return undefined;
  }

  #remove(place: Place): void {
    if (place.ahead) place.ahead.behind = place.behind;
    else this.#first = place.behind;
    if (place.behind) place.behind.ahead = place.ahead;
    else this.#last = place.ahead;
    this.#length -= 1;
    place.listenNoMore?.();
  }

  #turnAway(place: Place, why: Refusal): void {
    this.#remove(place);
    place.waiter.refuse(why);
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
    let place = this.#first;
    while (place) {
      const { behind, waiter } = place;
      const why = tooLate(waiter.ticket, now);
      if (why) this.#turnAway(place, why);
      else earliest = Math.min(earliest, waiter.ticket.deadline);
      place = behind;
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
