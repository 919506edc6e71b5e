import { passTime } from '../../src/shared/kernel/context/deadline-timer.ts';

interface Entry {
  readonly at: number;
  readonly order: number;
  task: (() => void) | undefined;
}

const turn = setImmediate;

/**
 * Runs the tasks of a history, ordered by time. Only the scheduler advances the time. Between two tasks every promise that can
 * settle has settled, so that the result does not depend on the speed of the machine.
 */
export class Scheduler {
  readonly #heap: Entry[] = [];
  #order = 0;
  #time: number;

  constructor(startMs: number) {
    this.#time = startMs;
  }

  /** Milliseconds since 1970, with a fraction, so that two tasks in one millisecond still have an order. */
  get time(): number {
    return this.#time;
  }

  /** Runs `task` after `delayMs`. Returns a function that cancels it. */
  after(delayMs: number, task: () => void): () => void {
    const entry: Entry = { at: this.#time + Math.max(0, delayMs), order: this.#order++, task };
    this.#push(entry);
    return () => {
      entry.task = undefined;
    };
  }

  /** Runs the tasks one after the other, until `over` returns true or no task is left. */
  async run(over: () => boolean): Promise<void> {
    while (!over()) {
      const next = this.#pop();
      if (!next) return;
      if (!next.task) continue;
      this.#time = next.at;
      passTime();
      // `passTime` may have fired a deadline that cancelled this task.
      next.task?.();
      await new Promise<void>((resolve) => turn(resolve));
    }
  }

  #push(entry: Entry): void {
    const heap = this.#heap;
    let at = heap.push(entry) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!before(entry, heap[parent]!)) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = entry;
  }

  #pop(): Entry | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (!first || !last || heap.length === 0) return first;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child += 1;
      if (!before(heap[child]!, last)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
    return first;
  }
}

function before(a: Entry, b: Entry): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
