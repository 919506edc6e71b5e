import { refusal } from '../errors/index.ts';

interface Waiting {
  reject: (error: unknown) => void;
  what: { readonly module: string; readonly name: string };
}

const slotMs = 16;
const slots = new Map<number, Set<Waiting>>();
let ticking: NodeJS.Timeout | undefined;

/**
 * Rejects with `timeout` when `work` has not settled by `deadline` (to within 32 ms). All deadlines of the process share
 * one timer, since a timer per call would cost more than the rest of an in-process call. What `work` rejects with goes
 * through `translate`.
 */
export function byDeadline<T>(
  work: Promise<T>,
  deadline: number,
  what: Waiting['what'],
  translate = asItIs,
): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const entry: Waiting = { reject, what };
    const key = Math.ceil(deadline / slotMs);
    let slot = slots.get(key);
    if (!slot) {
      slot = new Set();
      slots.set(key, slot);
      ticking ??= setInterval(tick, slotMs).unref();
    }
    slot.add(entry);
    const leave = slot;
    work.then(
      (value) => {
        leave.delete(entry);
        resolve(value);
      },
      (error) => {
        leave.delete(entry);
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

function tick(): void {
  const now = Date.now();
  for (const [key, slot] of slots) {
    if (slot.size > 0 && key * slotMs > now) continue;
    slots.delete(key);
    for (const { reject, what } of slot) reject(timedOut(what));
  }
  if (slots.size === 0) {
    clearInterval(ticking);
    ticking = undefined;
  }
}

export function timedOut({ module, name }: Waiting['what']): Error {
  return refusal('timeout', `${module}.${name} did not answer in time`);
}
