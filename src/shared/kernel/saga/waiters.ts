import type { Cancel, Clock } from '../context/index.ts';
import { isEnd, type SagaRow, type SagaState } from './tables.ts';

type Waiter = (state: SagaState | undefined) => void;
type SagaProgress = Pick<SagaRow, 'id' | 'state'>;

/** Interval of the checks for sagas that ended in another process, in milliseconds. */
const lookMs = 50;

export interface WaitersDependencies {
  readonly clock: Clock;
  readonly find: (ids: readonly string[]) => Promise<readonly SagaProgress[]>;
  /** Returns whether the saga is in flight in this process. This process then reports the end itself. */
  readonly runsHere: (id: string) => boolean;
}

/** The callers in this process that wait for the end of a saga. */
export class Waiters {
  readonly #byId = new Map<string, Set<Waiter>>();
  #draining = false;
  #cancelLook: Cancel | undefined;
  #looking = false;
  private readonly parts: WaitersDependencies;

  constructor(parts: WaitersDependencies) {
    this.parts = parts;
  }

  /** Resolves with the final state of the saga, or with `undefined` when the saga does not end within `withinMs`. */
  async settled(id: string, withinMs: number): Promise<SagaState | undefined> {
    if (this.#draining) return undefined;
    let cancel = () => {};
    const ended = new Promise<SagaState | undefined>((resolve) => {
      const waiters = this.#byId.get(id) ?? new Set();
      this.#byId.set(id, waiters.add(resolve));
      const cancelTimer = this.parts.clock.after(withinMs, () => resolve(undefined));
      cancel = () => {
        cancelTimer();
        waiters.delete(resolve);
        if (waiters.size === 0) this.#byId.delete(id);
        if (this.#byId.size === 0) this.#lookNoMore();
      };
    });
    try {
      const [row] = await this.parts.find([id]);
      if (!row || isEnd(row.state)) return row?.state;
      this.#lookLater();
      return await ended;
    } finally {
      cancel();
    }
  }

  tell({ id, state }: SagaProgress): void {
    for (const waiter of this.#byId.get(id) ?? []) waiter(state);
  }

  #lookLater(): void {
    if (this.#byId.size === 0 || this.#looking) return;
    this.#cancelLook ??= this.parts.clock.after(lookMs, () => void this.#look());
  }

  #lookNoMore(): void {
    this.#cancelLook?.();
    this.#cancelLook = undefined;
  }

  /** Reads the states of the awaited sagas, except the sagas in flight in this process. Reports the ended ones. */
  async #look(): Promise<void> {
    this.#cancelLook = undefined;
    this.#looking = true;
    const ids = [...this.#byId.keys()].filter((id) => !this.parts.runsHere(id));
    const found = ids.length > 0 ? await this.parts.find(ids).catch(() => []) : [];
    for (const row of found) if (isEnd(row.state)) this.tell(row);
    this.#looking = false;
    this.#lookLater();
  }

  /** Answers all waiting and all later callers that their saga has not ended yet. */
  drain(): void {
    this.#draining = true;
    for (const waiters of this.#byId.values()) for (const waiter of waiters) waiter(undefined);
  }
}
