import { Alarm, background, crashPoint } from '../context/index.ts';
import type { Unit } from '../database/index.ts';
import { activeTrace, FailureLog, toTraceFields } from '../telemetry/index.ts';
import { dueSagas, endWait, nextDueAt } from './due.ts';
import { SagaLeases, type SagaRunnerDependencies } from './leases.ts';
import { type Outcome, resumeSaga, settleSaga } from './operators.ts';
import { keyOf, type RunningSaga, type Saga, stepsThatCall } from './saga.ts';
import { insertSaga, LeaseLost, newSaga, statesOf } from './store.ts';
import { isEnd, type SagaRow, type SagaState } from './tables.ts';
import { Waiters } from './waiters.ts';

/** Maximum number of sagas in flight. Many sagas may wait for a module that does not answer, while other sagas continue. */
const concurrency = 512;
/** Number of places that must be free before the runner looks for the sagas that found no place. */
const portion = 32;
/** Interval of the checks for sagas that other instances released, or left when they died, in milliseconds. */
const lookMs = 1_000;

/** The result of `finish`: how many sagas were in flight, how many of them ended, and which are left to other instances. */
export interface Finished {
  readonly underWay: number;
  readonly ended: number;
  readonly handedOver: string[];
}

/**
 * Runs a module's sagas: a new saga at once, a waiting saga after its wait, and after a crash a saga from where it stopped. When
 * several instances share a database, one of them runs a saga at a time: see docs/decisions/0008-leases-of-sagas.md.
 */
export class SagaRunner<U extends Unit> {
  readonly #byName = new Map<string, RunningSaga<U>>();
  readonly #under = new Map<string, Promise<void>>();
  readonly #waiters: Waiters;
  readonly #parts: SagaRunnerDependencies<U>;
  #more = false;
  #stopped = true;
  /** The runner takes no more sagas; sagas in flight continue. */
  #finishing = false;
  /** Number of starts. A `stop` or `finish` from before the latest start has no further effect. */
  #starts = 0;
  #releasing: Promise<unknown> = Promise.resolve();
  readonly #leases: SagaLeases<U>;
  readonly #alarm: Alarm;
  readonly #failures: FailureLog;

  constructor(parts: SagaRunnerDependencies<U>) {
    this.#parts = parts;
    this.#failures = new FailureLog(parts.log, parts.clock);
    this.#alarm = new Alarm(parts.clock, () => this.wake());
    this.#leases = new SagaLeases(parts, this.#byName, () => this.#stopped);
    this.#waiters = new Waiters({
      clock: parts.clock,
      find: (ids) => statesOf(parts.database, ids),
      runsHere: (id) => this.#under.has(id),
    });
    // Each saga gets only data that `begin` has parsed with its schema.
    for (const saga of parts.sagas) this.#byName.set(keyOf(saga), saga as RunningSaga<U>);
  }

  /** Starts a saga with the commit of `unit`, or not at all. `id` identifies the saga and is the prefix of its steps' keys. */
  async begin<D>(unit: Unit, saga: Saga<D, U>, id: string, data: D): Promise<void> {
    if (!this.#byName.has(keyOf(saga)))
      throw new Error(`${keyOf(saga)} is none of this module's sagas: list it in "sagas" of what its module.ts opens`);
    const begun = newSaga(saga, id, saga.data.parse(data), this.#parts.clock.now());
    Object.assign(begun, toTraceFields(activeTrace()));
    begun.owner = this.#finishing ? null : this.#parts.instance.id;
    await insertSaga(unit, begun);
    unit.ahead(() => {
      crashPoint('saga', saga.name, 'begun');
      this.#launch(id, begun);
    });
  }

  /** Runs due sagas, new sagas from now on, and the sagas that the runner was about to leave to other instances. */
  async start(): Promise<void> {
    this.#starts += 1;
    await this.#releasing;
    this.#stopped = false;
    this.#finishing = false;
    this.wake();
  }

  /** Runs due sagas: after a start, or when a wait is over. */
  wake(): void {
    this.#take(() => this.#takeDue());
  }

  /** Ends the waits of all steps that wait for `module`, which is reachable again, and runs the due sagas. */
  remoteReachable(module: string): void {
    this.#take(async () => {
      const waiting = this.#parts.sagas.flatMap((saga) => stepsThatCall(module, saga));
      if (waiting.length === 0 || this.#stopped) return;
      const now = this.#parts.clock.now();
      await this.#parts.work(async (unit) => {
        for (const each of waiting) await endWait(unit, each, now);
      });
      await this.#parts.database.onDisk();
      await this.#takeDue();
    });
  }

  #take(taking: () => Promise<void>): void {
    void background.run(async () => {
      try {
        await taking();
      } catch (error) {
        if (this.#stopped) return;
        this.#failures.add({ message: 'sagas that are due could not be read; trying again', error });
        this.#wakeIn(1_000);
      }
    });
  }

  /** Begins no further step. Resolves when the steps in flight are recorded and other instances may continue the sagas. */
  async stop(): Promise<void> {
    await this.#letGo(0);
  }

  /**
   * Takes no more sagas. Sagas in flight continue until they end or must wait, and begin no further step after `withinMs`. Then
   * leaves the unfinished sagas to other instances. Until `start`, the runner also leaves new sagas to other instances. When
   * the caller starts the runner meanwhile, all sagas continue here.
   */
  async finish(withinMs: number): Promise<Finished> {
    const running = [...this.#under.keys()];
    const released = await this.#letGo(withinMs);
    const states = await statesOf(this.#parts.database, running);
    const ended = states.filter(({ state }) => isEnd(state)).map(({ id }) => id);
    const left = released ? [...released, ...running.filter((id) => !ended.includes(id))] : [];
    return { underWay: running.length, ended: ended.length, handedOver: [...new Set(left)] };
  }

  /** Stops and releases all sagas. Resolves with their ids, or with `undefined` when the caller started the runner meanwhile. */
  async #letGo(withinMs: number): Promise<readonly string[] | undefined> {
    const starts = this.#starts;
    const stop = () => {
      if (this.#starts === starts) this.#stopped = true;
    };
    this.#finishing = true;
    this.#alarm.off();
    if (withinMs === 0) stop();
    const cancel = this.#parts.clock.after(withinMs, stop);
    await Promise.all(this.#under.values());
    cancel();
    if (this.#starts !== starts) return undefined;
    stop();
    const releasing = this.#leases.release();
    this.#releasing = releasing;
    return releasing;
  }

  /** Returns how many of these sagas exist, in any state. */
  async count(ids: readonly string[]): Promise<number> {
    return (await statesOf(this.#parts.database, ids)).length;
  }

  /** Answers all waiting and all later callers that their saga has not ended yet. */
  drain(): void {
    this.#waiters.drain();
  }

  /** Resolves with the final state of the saga, or with `undefined` when the saga does not end within `withinMs`. */
  settled(id: string, withinMs: number): Promise<SagaState | undefined> {
    return this.#waiters.settled(id, withinMs);
  }

  /**
   * Resumes a stuck saga at its current step, forward or back. Throws `not-found`, and `invalid-input` when the saga is not
   * stuck.
   */
  async resume(id: string): Promise<void> {
    await this.#parts.work(async (unit) => {
      await resumeSaga(unit, id, this.#parts.clock.now());
      unit.afterCommit(() => this.#launch(id));
    });
    await this.#parts.database.onDisk();
  }

  /**
   * Resolves a stuck saga by an operator's decision, and records `note`. As `done`, runs the remaining write steps. As
   * `compensated`, runs the saga's `compensated` function. Calls no other module. Throws `not-found`, and `invalid-input` when
   * the saga is not stuck, is unknown to this release, or should be `done` although it goes back.
   */
  async settle(id: string, outcome: Outcome, note: string): Promise<void> {
    const { work, database, clock } = this.#parts;
    const definition = (row: SagaRow) => this.#byName.get(keyOf(row));
    const settled = await work((unit) => settleSaga(unit, definition, { id, outcome, note, now: clock.now() }));
    await database.onDisk();
    this.#tellEnd(settled);
  }

  #tellEnd(row: SagaRow): void {
    const { module, listener } = this.#parts;
    // A saga that is stuck ends when a person has resolved it.
    if (row.state !== 'stuck') listener?.sagaEnded({ module, saga: row.name, outcome: row.state });
    this.#waiters.tell(row);
  }

  #launch(id: string, begun?: SagaRow): void {
    if (this.#stopped || this.#finishing || this.#under.has(id)) return;
    if (this.#under.size >= concurrency) {
      this.#more = true;
      return;
    }
    this.#under.set(
      id,
      background.run(() => this.#runHere(id, begun)),
    );
  }

  async #runHere(id: string, begun: SagaRow | undefined): Promise<void> {
    try {
      await this.#run(id, begun);
    } catch (error) {
      if (error instanceof LeaseLost) return this.#parts.log.warn({ saga: id }, error.message);
      this.#failures.add({
        message: 'the progress of a saga could not be recorded; trying again',
        error,
        fields: { saga: id },
      });
      this.#wakeIn(1_000);
    } finally {
      this.#under.delete(id);
      if (this.#more && this.#under.size <= concurrency - portion) this.wake();
    }
  }

  async #run(id: string, begun: SagaRow | undefined): Promise<void> {
    // Waits for the disk first: no caller learns of the end before it is on disk, and no later run reads an older row.
    const row = await this.#leases.run(id, begun).finally(() => this.#parts.database.onDisk());
    if (!row) return;
    if (isEnd(row.state)) this.#tellEnd(row);
    else this.#wakeIn(row.nextAttemptAt - this.#parts.clock.now());
  }

  async #takeDue(): Promise<void> {
    const { database, clock, instance } = this.#parts;
    if (this.#stopped || this.#finishing) return;
    this.#wakeIn(lookMs);
    if (!instance.lives) return;
    this.#more = false;
    const now = clock.now();
    for (const id of await dueSagas(database, instance.id, now, concurrency * 2)) this.#launch(id);
    const next = await nextDueAt(database, now);
    if (next !== undefined) this.#wakeIn(next - clock.now());
  }

  #wakeIn(delayMs: number): void {
    if (!this.#stopped && !this.#finishing) this.#alarm.set(delayMs);
  }
}
