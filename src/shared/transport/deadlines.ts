import type { Cancellation } from '../context/index.ts';
import { refusal } from '../errors/index.ts';

interface What {
  readonly module: string;
  readonly name: string;
}

interface Waiting {
  readonly reject: (error: unknown) => void;
  readonly what: What;
  readonly cancellation: Cancellation | undefined;
}

interface Until {
  /** Milliseconds since 1970. */
  readonly deadline: number;
  readonly cancellation?: Cancellation;
}

const slotMs = 16;
const slots = new Map<number, Set<Waiting>>();
let ticking: NodeJS.Timeout | undefined;

/**
 * Rejects with `timeout` when `work` has not settled by the deadline (to within 32 ms), and tells the cancellation; rejects with
 * `cancelled` when that is told by somebody else. All deadlines of the process share one timer, since a timer per call would
 * cost more than the rest of an in-process call. What `work` rejects with goes through `translate`.
 */
export function byDeadline<T>(
  work: Promise<T>,
  { deadline, cancellation }: Until,
  what: What,
  translate = asItIs,
): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const entry: Waiting = { reject, what, cancellation };
    const slot = slotOf(deadline);
    slot.add(entry);
    const listenNoMore = cancellation?.onCancel(() => {
      slot.delete(entry);
      reject(cancelledBefore(what));
    });
    work.then(
      (value) => {
        slot.delete(entry);
        listenNoMore?.();
        resolve(value);
      },
      (error) => {
        slot.delete(entry);
        listenNoMore?.();
        try {
          reject(translate(error));
        } catch (untranslatable) {
          reject(untranslatable);
        }
      },
    );
  });
}

const asItIs = (error: unknown): unknown => error;

function slotOf(deadline: number): Set<Waiting> {
  const key = Math.ceil(deadline / slotMs);
  let slot = slots.get(key);
  if (!slot) {
    slot = new Set();
    slots.set(key, slot);
    ticking ??= setInterval(tick, slotMs).unref();
  }
  return slot;
}

function tick(): void {
  const now = Date.now();
  for (const [key, slot] of slots) {
    if (slot.size > 0 && key * slotMs > now) continue;
    slots.delete(key);
    for (const { reject, what, cancellation } of slot) {
      reject(timedOut(what));
      cancellation?.cancel();
    }
  }
  if (slots.size === 0) {
    clearInterval(ticking);
    ticking = undefined;
  }
}

export function timedOut({ module, name }: What): Error {
  return refusal('timeout', `${module}.${name} did not answer in time`);
}

export function cancelledBefore({ module, name }: What): Error {
  return refusal('cancelled', `who asked for ${module}.${name} has gone`);
}
