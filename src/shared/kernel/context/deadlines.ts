import { background } from './background.ts';

/** Those whose deadline falls into the same 16 ms. */
export interface Slot {
  last: Due | undefined;
}

const slotMs = 16;
const slots = new Map<number, Slot>();
let ticking: NodeJS.Timeout | undefined;
let latest: { readonly key: number; readonly slot: Slot } | undefined;
/** What the clock said when it was read last, until the timer has it read anew. */
let recently: number | undefined;

/** What the clock said at the last tick, or when the timer started, to see that it was set back. */
let lastTick: number | undefined;

/** No deadline is farther off than this, unless the clock was set back. */
const longestMs = 10 * 60_000;

/** With less left than this, the clock is read at once. */
const shortMs = 1_000;

/**
 * When a call that may take `timeoutMs` must be answered, in milliseconds since 1970: not after `latest`, when it is made for
 * another. Nothing, when that is over. To read the clock would be an eighth of a call within the process, so it is read at most
 * every 16 ms where a second or more is left: a call has so much less, and as much less as the event loop was held meanwhile.
 */
export function deadlineIn(timeoutMs: number, latest = Number.POSITIVE_INFINITY): number | undefined {
  if (recently !== undefined) {
    const deadline = Math.min(latest, recently + timeoutMs);
    if (deadline - recently >= shortMs) return deadline;
  }
  const now = Date.now();
  recently = now;
  ticking ??= tick();
  return latest <= now ? undefined : Math.min(latest, now + timeoutMs);
}

/**
 * Something with a deadline, in the list of its slot. All deadlines of the process share one timer, since a timer per call would
 * cost more than the rest of an in-process call.
 */
export interface Due {
  earlier: Due | undefined;
  later: Due | undefined;
  slot: Slot | undefined;

  /** The deadline is over, and it is due no more. */
  late(): void;
}

/** Has `due` be late at `deadline`, in milliseconds since 1970, to within 32 ms. */
export function dueAt(due: Due, deadline: number): void {
  const slot = slotOf(deadline);
  const { last } = slot;
  due.slot = slot;
  due.earlier = last;
  if (last) last.later = due;
  slot.last = due;
}

/** Has no effect on what is not due. */
export function notDue(due: Due): void {
  const { slot, earlier, later } = due;
  if (!slot) return;
  if (earlier) earlier.later = later;
  if (later) later.earlier = earlier;
  else slot.last = earlier;
  due.slot = due.earlier = due.later = undefined;
}

/**
 * Fires expired deadlines and refreshes the cached time. A timer calls it every 16 ms. Code that sets the clock, such as a
 * simulation, calls it each time.
 */
export function passTime(): void {
  const now = Date.now();
  recently = undefined;
  if (lastTick !== undefined && now < lastTick) setBack(lastTick - now, now);
  lastTick = now;
  for (const [key, slot] of slots) {
    if (slot.last && key * slotMs > now) continue;
    slots.delete(key);
    if (latest?.key === key) latest = undefined;
    for (let each = slot.last; each; each = slot.last) {
      notDue(each);
      each.late();
    }
  }
  if (slots.size > 0) return;
  clearInterval(ticking);
  // Who was late may have read it meanwhile, and nobody would have it read anew.
  ticking = recently = lastTick = undefined;
}

/** Moves the deadlines of before a step back of the clock to as long from now as they were: nobody waits for hours. */
function setBack(byMs: number, now: number): void {
  const shift = Math.floor(byMs / slotMs);
  const moved = [...slots].map(([key, slot]) => [key * slotMs > now + longestMs ? key - shift : key, slot] as const);
  slots.clear();
  for (const [key, slot] of moved.sort(([one], [other]) => one - other)) {
    const older = slots.get(key);
    if (older) append(older, slot);
    slots.set(key, slot);
  }
  latest = undefined;
}

/** Moves the deadlines of one slot to another, which fires them before its own. */
function append(older: Slot, slot: Slot): void {
  let first: Due | undefined;
  for (let each = older.last; each; each = each.earlier) {
    each.slot = slot;
    first = each;
  }
  if (!first) return;
  first.earlier = slot.last;
  if (slot.last) slot.last.later = first;
  slot.last = older.last;
}

/** One timer for all, which belongs to none of them. */
function tick(): NodeJS.Timeout {
  lastTick ??= Date.now();
  return background.setInterval(passTime, slotMs).unref();
}

function slotOf(deadline: number): Slot {
  const key = Math.ceil(deadline / slotMs);
  if (latest?.key === key) return latest.slot;
  let slot = slots.get(key);
  if (!slot) {
    slot = { last: undefined };
    slots.set(key, slot);
    ticking ??= tick();
  }
  latest = { key, slot };
  return slot;
}
