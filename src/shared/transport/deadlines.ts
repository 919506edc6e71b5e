import { CancelListener, type Cancellation } from '../context/index.ts';
import { refusal } from '../errors/index.ts';

interface What {
  readonly module: string;
  readonly name: string;
}

interface Until {
  /** Milliseconds since 1970. */
  readonly deadline: number;
  readonly cancellation?: Cancellation;
}

/** Calls whose deadline falls into the same 16 ms. */
interface Slot {
  last: Waiting | undefined;
}

const slotMs = 16;
const slots = new Map<number, Slot>();
let ticking: NodeJS.Timeout | undefined;
let latest: { readonly key: number; readonly slot: Slot } | undefined;

/**
 * Rejects with `timeout` when `work` has not settled by the deadline (to within 32 ms), and tells the cancellation; rejects with
 * `cancelled` when that is told by somebody else. All deadlines of the process share one timer, since a timer per call would
 * cost more than the rest of an in-process call. When it has settled, nobody who worked for it listens to the cancellation any
 * more: it must be this call's own. What `work` rejects with goes through `translate`.
 */
export function byDeadline<T>(work: Promise<T>, until: Until, what: What, translate = asItIs): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const waiting = new Waiting(until, what, reject);
    work.then(
      (value) => {
        waiting.end();
        resolve(value);
      },
      (error) => {
        waiting.end();
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

/** A call that has not settled yet: in the list of its slot, and in that of its cancellation. */
class Waiting extends CancelListener {
  earlier: Waiting | undefined;
  later: Waiting | undefined = undefined;
  readonly #slot: Slot;
  readonly #cancellation: Cancellation | undefined;

  constructor(
    { deadline, cancellation }: Until,
    private readonly what: What,
    private readonly reject: (error: unknown) => void,
  ) {
    super();
    const slot = slotOf(deadline);
    this.#slot = slot;
    this.earlier = slot.last;
    if (slot.last) slot.last.later = this;
    slot.last = this;
    this.#cancellation = cancellation;
    cancellation?.listen(this);
  }

  end(): void {
    this.#cancellation?.release();
    this.#leaveSlot();
  }

  override told(): void {
    this.#leaveSlot();
    this.reject(cancelledBefore(this.what));
  }

  timeOut(): void {
    this.#cancellation?.ignore(this);
    this.#leaveSlot();
    this.reject(timedOut(this.what));
    this.#cancellation?.cancel();
  }

  #leaveSlot(): void {
    const { earlier, later } = this;
    if (earlier) earlier.later = later;
    if (later) later.earlier = earlier;
    else if (this.#slot.last === this) this.#slot.last = earlier;
    this.earlier = this.later = undefined;
  }
}

function slotOf(deadline: number): Slot {
  const key = Math.ceil(deadline / slotMs);
  if (latest?.key === key) return latest.slot;
  let slot = slots.get(key);
  if (!slot) {
    slot = { last: undefined };
    slots.set(key, slot);
    ticking ??= setInterval(tick, slotMs).unref();
  }
  latest = { key, slot };
  return slot;
}

function tick(): void {
  const now = Date.now();
  for (const [key, slot] of slots) {
    if (slot.last && key * slotMs > now) continue;
    slots.delete(key);
    if (latest?.key === key) latest = undefined;
    while (slot.last) slot.last.timeOut();
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
