import { background } from './background.ts';

/** The entries whose deadlines fall into the same 16 ms. */
export interface Slot {
  last: Due | undefined;
}

const slotMs = 16;
const slots = new Map<number, Slot>();
let ticking: NodeJS.Timeout | undefined;
let latest: { readonly key: number; readonly slot: Slot } | undefined;

/** The reading of the clock at the last tick, or at the timer's start. It shows whether the clock was set back. */
let lastTick: number | undefined;

/** Maximum time until a deadline, unless the clock was set back. */
const longestMs = 10 * 60_000;

/**
 * Returns the deadline of a call that may take `timeoutMs`, in milliseconds since 1970. The deadline is never after `latest`, the
 * deadline of the call that this call is made for. Returns `undefined` when `latest` has passed.
 */
export function deadlineIn(timeoutMs: number, latest = Number.POSITIVE_INFINITY): number | undefined {
  const now = Date.now();
  return latest <= now ? undefined : Math.min(latest, now + timeoutMs);
}

/**
 * An entry with a deadline, in the list of its slot. All deadlines of the process share one timer, since a timer per call would
 * cost more than the rest of an in-process call. With a `Set` as the list, such a call takes 1.2 times as long
 * (`npx kerf bench call`).
 */
export interface Due {
  earlier: Due | undefined;
  later: Due | undefined;
  slot: Slot | undefined;

  /** Called after the deadline. The entry has left its slot by then. */
  late(): void;
}

/** Schedules `due.late()` for `deadline`, in milliseconds since 1970, to within 32 ms. */
export function dueAt(due: Due, deadline: number): void {
  const slot = slotOf(deadline);
  const { last } = slot;
  due.slot = slot;
  due.earlier = last;
  if (last) last.later = due;
  slot.last = due;
}

/** Cancels the deadline of an entry. Has no effect on an entry without a deadline. */
export function notDue(due: Due): void {
  const { slot, earlier, later } = due;
  if (!slot) return;
  if (earlier) earlier.later = later;
  if (later) later.earlier = earlier;
  else slot.last = earlier;
  due.slot = due.earlier = due.later = undefined;
}

/** Fires expired deadlines. A timer calls it every 16 ms. Code that sets the clock, such as a simulation, calls it each time. */
export function passTime(): void {
  const now = Date.now();
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
  ticking = lastTick = undefined;
}

/** Moves existing deadlines after the clock was set back, so that their time left stays the same and no call waits for hours. */
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

/** Starts the timer that all deadlines share. It belongs to no request. */
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
