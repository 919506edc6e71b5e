import { z } from 'zod';
import { contract, event } from '../../src/shared/kernel/contract/index.ts';

/** A change of one of a thousand orders. `n` numbers the events of a pipeline. */
const changed = z.strictObject({
  order: z.string().max(64),
  n: z.int(),
  status: z.enum(['confirmed', 'cancelled']),
  total: z.strictObject({ amount: z.int(), currency: z.string().length(3) }),
});

export const orders = contract('orders', {
  operations: {},
  events: { changed: event('order-changed', 1, 'order', changed) },
});
export type Changed = z.output<typeof changed>;

export function change(n: number): Changed {
  return { order: `order-${n % 1_000}`, n, status: 'confirmed', total: { amount: 44_000, currency: 'KRW' } };
}

/** The table of the events' effects. */
export const effectTable =
  'CREATE TABLE effects (n INTEGER PRIMARY KEY, "order" TEXT NOT NULL, amount INTEGER NOT NULL)';

/** A pipeline from a publisher's database to a subscriber's. */
export interface Pipeline {
  readonly name: string;
  /** Resolves once the event is on the publisher's disk. */
  publish(event: Changed): Promise<void>;
  close(): Promise<void>;
}

/** Records when each event is on the publisher's disk, and when its effect is on the subscriber's disk. */
export class Ledger {
  /** From commit to effect, in milliseconds. */
  readonly delaysMs: number[] = [];
  readonly #committedAt = new Map<number, number>();
  #awaited = 0;
  #complete = () => {};

  /** Resolves when this many more events have taken effect. */
  expect(events: number): Promise<void> {
    this.#awaited = events;
    return new Promise((resolve) => {
      this.#complete = resolve;
    });
  }

  committed(n: number): void {
    this.#committedAt.set(n, performance.now());
  }

  effected(n: number): void {
    this.delaysMs.push(performance.now() - this.#committedAt.get(n)!);
    this.#committedAt.delete(n);
    if (--this.#awaited === 0) this.#complete();
  }
}
