import type { Clock } from '../clock/index.ts';
import { isEnd, type SagaRow, type SagaState } from './tables.ts';

type Waiter = (state: SagaState | undefined) => void;

/** Those who wait in this process for the end of a saga. */
export class Waiters {
  readonly #byId = new Map<string, Set<Waiter>>();
  #draining = false;

  constructor(
    private readonly clock: Clock,
    private readonly find: (id: string) => Promise<SagaRow | undefined>,
  ) {}

  /** The state in which the saga ended, or `undefined` when it has not within `withinMs`. */
  async settled(id: string, withinMs: number): Promise<SagaState | undefined> {
    if (this.#draining) return undefined;
    let cancel = () => {};
    const ended = new Promise<SagaState | undefined>((resolve) => {
      const waiters = this.#byId.get(id) ?? new Set();
      this.#byId.set(id, waiters.add(resolve));
      const cancelTimer = this.clock.after(withinMs, () => resolve(undefined));
      cancel = () => {
        cancelTimer();
        waiters.delete(resolve);
        if (waiters.size === 0) this.#byId.delete(id);
      };
    });
    try {
      const row = await this.find(id);
      if (!row || isEnd(row.state)) return row?.state;
      return await ended;
    } finally {
      cancel();
    }
  }

  tell({ id, state }: SagaRow): void {
    for (const waiter of this.#byId.get(id) ?? []) waiter(state);
  }

  /** Looks how the sagas that are waited for stand, but for those that `runsHere` and that will be told of. */
  async lookAfter(runsHere: (id: string) => boolean): Promise<void> {
    for (const id of this.#byId.keys()) {
      const row = runsHere(id) ? undefined : await this.find(id);
      if (row && isEnd(row.state)) this.tell(row);
    }
  }

  /** Tells those who wait, and all who come after, that it has not ended yet. */
  drain(): void {
    this.#draining = true;
    for (const waiters of this.#byId.values()) for (const waiter of waiters) waiter(undefined);
  }
}
