import type { Clock } from '../clock/index.ts';
import { currentContext } from '../context/index.ts';
import type { Database, Unit } from '../data/index.ts';
import type { Log } from '../observability/index.ts';
import { advance, type SagaCalls } from './advance.ts';
import type { Saga } from './saga.ts';
import { dueSagas, endWait, findSaga, insertSaga, nextDueAt, updateSaga } from './store.ts';
import type { SagaRow, SagaState } from './tables.ts';

/** Many may hang on one that does not answer; the others still go on. */
const concurrency = 512;
/** Places that must be free before those that found none are looked for. */
const portion = 32;
const unknownMs = 60_000;

export interface SagaRunnerParts<U extends Unit> {
  sagas: readonly Saga<never, U>[];
  database: Database;
  work: <T>(task: (unit: U) => Promise<T>) => Promise<T>;
  call: SagaCalls;
  clock: Clock;
  log: Log;
}

/** Runs a module's sagas: at once when one is started, again when a wait is over, and where it stopped after a crash. */
export class SagaRunner<U extends Unit> {
  readonly #byName = new Map<string, Saga<never, U>>();
  readonly #under = new Map<string, Promise<void>>();
  readonly #waiters = new Map<string, Set<(state: SagaState | undefined) => void>>();
  readonly #parts: SagaRunnerParts<U>;
  #more = false;
  #stopped = true;
  #draining = false;
  #cancelTimer = () => {};
  #timerAt = Number.POSITIVE_INFINITY;

  constructor(parts: SagaRunnerParts<U>) {
    this.#parts = parts;
    for (const saga of parts.sagas) this.#byName.set(keyOf(saga), saga);
  }

  /** Starts a saga with the commit of `unit`, or not at all. `id` is its identity and the root of its steps' keys. */
  async begin<D>(unit: Unit, saga: Saga<D, U>, id: string, data: D): Promise<void> {
    const now = this.#parts.clock.now();
    const deadline = saga.deadlineMs === undefined ? Number.MAX_SAFE_INTEGER : now + saga.deadlineMs;
    const traceparent = currentContext()?.traceparent ?? null;
    const row = { id, name: saga.name, version: saga.version, now, deadline, traceparent };
    await insertSaga(unit, { ...row, data: saga.data.parse(data) as object });
    unit.afterCommit(() => this.#launch(id));
  }

  async start(): Promise<void> {
    this.#stopped = false;
    this.wake();
  }

  /** Looks for what is due: after a start, when a wait is over. */
  wake(): void {
    this.#take(() => this.#takeDue());
  }

  /** A module that was away is back: the steps that wait for it are due now, however long they were to wait. */
  reached(module: string): void {
    this.#take(async () => {
      const waiting = this.#parts.sagas.flatMap((saga) => stepsThatCall(module, saga));
      if (waiting.length === 0 || this.#stopped) return;
      const now = this.#parts.clock.now();
      await this.#parts.work(async (unit) => {
        for (const each of waiting) await endWait(unit, each, now);
      });
      await this.#takeDue();
    });
  }

  #take(taking: () => Promise<void>): void {
    void taking().catch((error) => {
      if (this.#stopped) return;
      this.#parts.log.error({ error }, 'sagas that are due could not be read; trying again');
      this.#wakeIn(1_000);
    });
  }

  /** Begins no further step; resolves when the steps under way are recorded. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancelTimer();
    await Promise.all(this.#under.values());
  }

  /** Tells those who wait for a saga, and all who come after, that it has not ended yet. */
  drain(): void {
    this.#draining = true;
    for (const waiters of this.#waiters.values()) for (const waiter of waiters) waiter(undefined);
  }

  /** The state in which the saga ended, or `undefined` when it has not within `withinMs`. */
  async settled(id: string, withinMs: number): Promise<SagaState | undefined> {
    if (this.#draining) return undefined;
    let cancel = () => {};
    const ended = new Promise<SagaState | undefined>((resolve) => {
      const waiters = this.#waiters.get(id) ?? new Set();
      this.#waiters.set(id, waiters.add(resolve));
      const cancelTimer = this.#parts.clock.after(withinMs, () => resolve(undefined));
      cancel = () => {
        cancelTimer();
        waiters.delete(resolve);
        if (waiters.size === 0) this.#waiters.delete(id);
      };
    });
    try {
      const row = await findSaga(this.#parts.database, id);
      if (!row || isEnd(row.state)) return row?.state;
      return await ended;
    } finally {
      cancel();
    }
  }

  #launch(id: string): void {
    if (this.#stopped || this.#under.has(id)) return;
    if (this.#under.size >= concurrency) {
      this.#more = true;
      return;
    }
    const run = this.#run(id)
      .catch((error) => {
        this.#parts.log.error({ error, saga: id }, 'the progress of a saga could not be recorded; trying again');
        this.#wakeIn(1_000);
      })
      .finally(() => {
        this.#under.delete(id);
        if (this.#more && this.#under.size <= concurrency - portion) this.wake();
      });
    this.#under.set(id, run);
  }

  async #run(id: string): Promise<void> {
    const row = await findSaga(this.#parts.database, id);
    if (!row || isEnd(row.state)) return;
    const saga = this.#byName.get(keyOf(row));
    if (!saga) return this.#setAside(row);
    const { work, call, clock, log } = this.#parts;
    const after = await advance(saga as Saga<never, Unit>, row, {
      work: work as (task: (unit: Unit) => Promise<void>) => Promise<void>,
      call,
      clock,
      log,
      stopped: () => this.#stopped,
    });
    if (isEnd(after.state)) this.#tell(after);
    else this.#wakeIn(after.nextAttemptAt - clock.now());
  }

  /** A saga of a version that is not known here, as after a rollback: looked at again in a while, and in nobody's way. */
  async #setAside(row: SagaRow): Promise<void> {
    const { work, clock, log } = this.#parts;
    const lastError = `${keyOf(row)} is not known here`;
    log.error({ saga: row.id, lastError }, 'a saga waits for a release that knows it');
    const nextAttemptAt = clock.now() + unknownMs;
    await work((unit) => updateSaga(unit, { ...row, lastError, nextAttemptAt, updatedAt: clock.now() }));
  }

  #tell({ id, state }: SagaRow): void {
    for (const waiter of this.#waiters.get(id) ?? []) waiter(state);
  }

  async #takeDue(): Promise<void> {
    if (this.#stopped) return;
    this.#more = false;
    const { database, clock } = this.#parts;
    const now = clock.now();
    for (const { id } of await dueSagas(database, now, concurrency * 2)) this.#launch(id);
    const next = await nextDueAt(database, now);
    if (next !== undefined) this.#wakeIn(next - clock.now());
  }

  #wakeIn(delayMs: number): void {
    const { clock } = this.#parts;
    const delay = Math.max(20, delayMs);
    if (this.#stopped || this.#timerAt <= clock.now() + delay) return;
    this.#cancelTimer();
    this.#timerAt = clock.now() + delay;
    this.#cancelTimer = clock.after(delay, () => {
      this.#timerAt = Number.POSITIVE_INFINITY;
      this.wake();
    });
  }
}

function keyOf({ name, version }: { name: string; version: number }): string {
  return `${name}.v${version}`;
}

/** Where a saga calls `module`, forward or taking back. */
function stepsThatCall(module: string, { name, version, steps }: Saga<never, never>) {
  return steps.flatMap((step, index) => {
    if (step.kind !== 'call') return [];
    const at = { name, version, step: index };
    return [
      ...(step.operation.module === module ? [{ ...at, state: 'running' as const }] : []),
      ...(step.undo?.operation.module === module ? [{ ...at, state: 'compensating' as const }] : []),
    ];
  });
}

function isEnd(state: SagaState): boolean {
  return state !== 'running' && state !== 'compensating';
}
