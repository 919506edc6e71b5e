import { type CallContext, type Clock, runInContext } from '../context/index.ts';
import type { Database, Unit } from '../database/index.ts';
import type { Instance } from '../leader-election/index.ts';
import { FailureLog, fromTraceFields, type KernelListener, type Log, ofService, traced } from '../telemetry/index.ts';
import { claimSaga } from './due.ts';
import { executeSaga, type SagaCalls } from './executor.ts';
import { keyOf, type RunningSaga, type Saga } from './saga.ts';
import { findSaga, LeaseLost, releaseSagas, updateSaga } from './store.ts';
import { isEnd, type SagaRow } from './tables.ts';

const unknownMs = 60_000;

export interface SagaRunnerDependencies<U extends Unit> {
  module: string;
  sagas: readonly Saga<never, U>[];
  database: Database;
  /** This process, among those that run the module on the same database. */
  instance: Pick<Instance, 'id' | 'lives'>;
  /** Runs a unit of work of `database`. May resolve before the unit is on disk. */
  work: <T>(task: (unit: U) => Promise<T>) => Promise<T>;
  call: SagaCalls;
  clock: Clock;
  log: Log;
  listener?: KernelListener | undefined;
}

interface Owned {
  readonly row?: SagaRow;
  /** Whether the process of the previous owner has ended. */
  readonly ended?: boolean;
}

/** The leases of this instance on sagas. The instance takes a lease to run a saga and releases all leases when it stops. */
export class SagaLeases<U extends Unit> {
  /** Sagas whose step may have happened: this instance could not record the outcome. */
  readonly #inDoubt = new Set<string>();
  readonly #failures: FailureLog;
  private readonly parts: SagaRunnerDependencies<U>;
  private readonly byName: ReadonlyMap<string, RunningSaga<U>>;
  private readonly stopped: () => boolean;

  constructor(parts: SagaRunnerDependencies<U>, byName: ReadonlyMap<string, RunningSaga<U>>, stopped: () => boolean) {
    this.parts = parts;
    this.byName = byName;
    this.stopped = stopped;
    this.#failures = new FailureLog(parts.log, parts.clock);
  }

  /**
   * Runs a saga, from `begun` or from its stored row, as far as it goes now. Resolves with its new row, or with `undefined` when this
   * instance cannot run the saga.
   */
  async run(id: string, begun?: SagaRow): Promise<SagaRow | undefined> {
    const { row, ended }: Owned = begun ? { row: begun } : await this.#own(id);
    if (!row) return undefined;
    const saga = this.byName.get(keyOf(row));
    if (!saga) return this.#setAside(row);
    const { module, work, database, call, clock, log, instance } = this.parts;
    const around = {
      work,
      onDisk: () => database.onDisk(),
      call,
      clock,
      log,
      failures: this.#failures,
      stopped: () => this.stopped() || !instance.lives || row.owner !== instance.id,
    };
    const run = () => executeSaga(saga, row, around, ended);
    const attributes = { 'kerf.saga.name': saga.name, 'kerf.saga.id': id };
    const advancing = runInContext(contextOf(module, row), () => traced(`saga ${saga.name}`, { attributes }, run));
    return advancing.catch((error) => {
      if (!(error instanceof LeaseLost)) this.#inDoubt.add(id);
      throw error;
    });
  }

  /** Releases all sagas to other instances. Resolves with their ids. On failure, logs it, and the leases end with this instance. */
  async release(): Promise<readonly string[]> {
    const { work, database, instance, log } = this.parts;
    try {
      const released = await work((unit) => releaseSagas(unit, instance.id, [...this.#inDoubt]));
      await database.onDisk();
      this.#inDoubt.clear();
      return released;
    } catch (error) {
      const message = 'sagas could not be left to others; they can be taken when the lease of this instance is over';
      log.warn({ error }, message);
      return [];
    }
  }

  /** Returns the saga if this instance already owns it or can claim it now. */
  async #own(id: string): Promise<Owned> {
    const { database, work, clock, instance } = this.parts;
    const row = await findSaga(database, id);
    if (!row || isEnd(row.state)) return {};
    const inDoubt = this.#inDoubt.delete(id);
    if (row.owner === instance.id) return { row: inDoubt ? { ...row, inDoubt: 1, attempts: row.attempts + 1 } : row };
    const claimed = await work((unit) => claimSaga(unit, id, instance.id, clock.now()));
    return { row: claimed, ended: row.owner !== null };
  }

  /** Releases and postpones a saga whose version this release does not know, for example after a rollback. */
  async #setAside(row: SagaRow): Promise<undefined> {
    const { work, clock, log } = this.parts;
    const lastError = `${keyOf(row)} is not known here`;
    log.error({ saga: row.id, lastError }, 'a saga waits for a release that knows it');
    const nextAttemptAt = clock.now() + unknownMs;
    await work((unit) => updateSaga(unit, { ...row, lastError, nextAttemptAt, updatedAt: clock.now() }, null));
  }
}

/** Returns the context of a saga, which belongs to no request. Its events and calls continue the trace in which it started. */
function contextOf(module: string, row: SagaRow): CallContext {
  const trace = fromTraceFields(row);
  const context = { requestId: row.id, caller: 'kernel', deadline: Number.POSITIVE_INFINITY };
  return trace ? { ...context, trace: ofService(module, trace) } : context;
}
