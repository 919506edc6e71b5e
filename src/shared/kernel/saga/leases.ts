import { type CallContext, type Clock, runInContext } from '../context/index.ts';
import type { Database, Unit } from '../database/index.ts';
import type { Instance } from '../leader-election/index.ts';
import { FailureLog, type Log } from '../telemetry/index.ts';
import { claimSaga } from './due.ts';
import { executeSaga, type SagaCalls } from './executor.ts';
import { keyOf, type Saga } from './saga.ts';
import { findSaga, LeaseLost, releaseSagas, updateSaga } from './store.ts';
import { isEnd, type SagaRow } from './tables.ts';

const unknownMs = 60_000;

export interface SagaRunnerDependencies<U extends Unit> {
  sagas: readonly Saga<never, U>[];
  database: Database;
  /** This process, among those that run the module on the same database. */
  instance: Pick<Instance, 'id' | 'lives'>;
  /** A unit of work of `database`, which may resolve before it is on disk. */
  work: <T>(task: (unit: U) => Promise<T>) => Promise<T>;
  call: SagaCalls;
  clock: Clock;
  log: Log;
}

interface Owned {
  readonly row?: SagaRow;
  /** The process that had it has ended. */
  readonly ended?: boolean;
}

/** The sagas that are this instance's: taken when they run, given back when it stops. */
export class SagaLeases<U extends Unit> {
  /** Those of which it is not known whether their step has happened: the outcome could not be written down. */
  readonly #inDoubt = new Set<string>();
  readonly #failures: FailureLog;
  private readonly parts: SagaRunnerDependencies<U>;
  private readonly byName: ReadonlyMap<string, Saga<never, U>>;
  private readonly stopped: () => boolean;

  constructor(parts: SagaRunnerDependencies<U>, byName: ReadonlyMap<string, Saga<never, U>>, stopped: () => boolean) {
    this.parts = parts;
    this.byName = byName;
    this.stopped = stopped;
    this.#failures = new FailureLog(parts.log, parts.clock);
  }

  /** Brings a saga, as it was `begun` or is found, as far as it goes now; resolves with how it stands then, or with nothing when it is not to be had. */
  async run(id: string, begun?: SagaRow): Promise<SagaRow | undefined> {
    const { row, ended }: Owned = begun ? { row: begun } : await this.#own(id);
    if (!row) return undefined;
    const saga = this.byName.get(keyOf(row));
    if (!saga) return this.#setAside(row);
    const { work, database, call, clock, log, instance } = this.parts;
    const around = {
      work: work as (task: (unit: Unit) => Promise<void>) => Promise<void>,
      onDisk: () => database.onDisk(),
      call,
      clock,
      log,
      failures: this.#failures,
      stopped: () => this.stopped() || !instance.lives || row.owner !== instance.id,
    };
    const advancing = runInContext(contextOf(row), executeSaga, saga as Saga<never, Unit>, row, around, ended);
    return advancing.catch((error) => {
      if (!(error instanceof LeaseLost)) this.#inDoubt.add(id);
      throw error;
    });
  }

  /** Leaves all to other instances; resolves with which they are. */
  async release(): Promise<readonly string[]> {
    const { work, database, instance } = this.parts;
    const released = await work((unit) => releaseSagas(unit, instance.id, [...this.#inDoubt]));
    await database.onDisk();
    this.#inDoubt.clear();
    return released;
  }

  /** The saga, when it is this instance's from its beginning or can be taken now. */
  async #own(id: string): Promise<Owned> {
    const { database, work, clock, instance } = this.parts;
    const row = await findSaga(database, id);
    if (!row || isEnd(row.state)) return {};
    const inDoubt = this.#inDoubt.delete(id);
    if (row.owner === instance.id) return { row: inDoubt ? { ...row, inDoubt: 1, attempts: row.attempts + 1 } : row };
    const claimed = await work((unit) => claimSaga(unit, id, instance.id, clock.now()));
    return { row: claimed, ended: row.owner !== null };
  }

  /** A saga of a version that is not known here, as after a rollback: looked at again in a while, and in nobody's way. */
  async #setAside(row: SagaRow): Promise<undefined> {
    const { work, clock, log } = this.parts;
    const lastError = `${keyOf(row)} is not known here`;
    log.error({ saga: row.id, lastError }, 'a saga waits for a release that knows it');
    const nextAttemptAt = clock.now() + unknownMs;
    await work((unit) => updateSaga(unit, { ...row, lastError, nextAttemptAt, updatedAt: clock.now() }, null));
  }
}

/** A saga is nobody's request. What it publishes and calls goes on with the trace that it was started in. */
function contextOf({ id, traceparent }: SagaRow): CallContext {
  return {
    requestId: id,
    traceparent: traceparent ?? undefined,
    caller: 'kernel',
    deadline: Number.POSITIVE_INFINITY,
  };
}
