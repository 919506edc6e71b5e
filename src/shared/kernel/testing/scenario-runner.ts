import { AssertionError } from 'node:assert';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { z } from 'zod';
import { openSqlite } from '../../adapters/sqlite/index.ts';
import { ManualClock } from '../context/index.ts';
import { type Event, type Operation, parseInput } from '../contract/index.ts';
import type { Database, Migration, Reader, Unit } from '../database/index.ts';
import { messageOf } from '../errors/index.ts';
import { instanceMigrations } from '../leader-election/index.ts';
import { describeSaga, isEnd, type Saga, type SagaDetails, SagaRunner, sagaMigrations } from '../saga/index.ts';
import { silentLog } from '../telemetry/index.ts';

/** An expected call and its outcome. */
export interface Scripted {
  readonly operation: Operation;
  readonly input: unknown;
  readonly outcome: 'crash' | (() => Promise<unknown>);
  /** Whether it repeats the call before it. */
  readonly again: boolean;
  afterMs: number;
}

/** The preconditions of a scenario: the tables of the module, and the writes before the saga begins. */
export interface Given<U extends Unit> {
  readonly migrations?: readonly Migration[];
  readonly before?: (unit: U) => Promise<unknown>;
}

/** The result of a scenario after the saga has ended. */
export interface Ended {
  readonly state: SagaDetails['state'];
  /** Such as `reserve stock done`. */
  readonly history: readonly string[];
  /** Returns the data of all events of this type that the saga's writes published. */
  published<E extends Event>(event: E): z.output<E['data']>[];
  /** Reads the data that the saga's writes left. */
  read<T>(query: (reader: Reader) => Promise<T>): Promise<T>;
}

const sagaId = 'rehearsed';
const patienceMs = 10_000;

/** Runs a saga through a script once. */
export class ScenarioRunner<D, U extends Unit> {
  readonly #clock = new ManualClock();
  readonly #migrations: Migration[];
  readonly #file = join(mkdtempSync(join(tmpdir(), 'kerf-rehearsal-')), 'rehearsal.db');
  readonly #database: Database;
  readonly #published: { type: string; data: unknown }[] = [];
  readonly #script: Scripted[];
  #runner: SagaRunner<U>;
  #processes = 0;
  /** The answers of commands, by idempotency key. */
  readonly #answers = new Map<string, unknown>();
  #lastKey = '';
  #failure: Error | undefined;
  private readonly saga: Saga<D, U>;
  private readonly data: D;
  private readonly ground: Given<U>;

  constructor(saga: Saga<D, U>, data: D, ground: Given<U>, script: readonly Scripted[]) {
    this.saga = saga;
    this.data = data;
    this.ground = ground;
    this.#script = [...script];
    this.#migrations = [...instanceMigrations, ...sagaMigrations, ...(ground.migrations ?? [])];
    this.#database = openSqlite('rehearsal', this.#file, this.#migrations);
    this.#runner = this.#newRunner();
  }

  async run(): Promise<Ended> {
    try {
      await this.#runner.start();
      await this.#work(async (unit) => {
        await this.ground.before?.(unit);
        await this.#runner.begin(unit, this.saga, sagaId, this.data);
      });
      return this.#told(await this.#end());
    } finally {
      // Does not await the stop, because an unexpected call never gets an answer.
      void this.#runner.stop();
      await this.#database.close();
    }
  }

  /** Advances the clock whenever the saga waits, until the saga ends. */
  async #end(): Promise<SagaDetails> {
    const patientUntil = performance.now() + patienceMs;
    for (;;) {
      if (this.#failure) throw this.#failure;
      const row = await describeSaga(this.#database, sagaId);
      if (!row) throw new Error('the saga has no row');
      if (isEnd(row.state)) return row;
      if (performance.now() > patientUntil) throw new Error(`the saga comes to no end: ${JSON.stringify(row)}`);
      if (row.owner === null) {
        this.#clock.advance(Math.max(0, row.nextAttemptAt - this.#clock.now()));
        this.#runner.wake();
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  #told({ state, history }: SagaDetails): Ended {
    const lines = history.map(({ step, what }) => (step === undefined ? what : `${step} ${what}`));
    const missing = this.#script[0];
    if (missing) {
      throw new Error(`the saga ended ${state} without calling ${nameOf(missing.operation)}: ${lines.join(', ')}`);
    }
    return {
      state,
      history: lines,
      published: (event) => this.#publishedAs(event),
      read: async (query) => {
        const database = openSqlite('rehearsal', this.#file, this.#migrations);
        return query(database).finally(() => database.close());
      },
    };
  }

  #publishedAs<E extends Event>({ type }: E): z.output<E['data']>[] {
    const ofType = this.#published.filter((each) => each.type === type);
    return ofType.map(({ data }) => data as z.output<E['data']>);
  }

  #newRunner(): SagaRunner<U> {
    return new SagaRunner<U>({
      module: 'sample',
      sagas: [this.saga],
      database: this.#database,
      instance: { id: `process-${++this.#processes}`, lives: true },
      work: (task) => this.#work(task),
      call: (operation, input, key) => this.#answer(operation, input, key),
      clock: this.#clock,
      log: silentLog,
    });
  }

  #work<T>(task: (unit: U) => Promise<T>): Promise<T> {
    return this.#database.work((unit) => {
      const publish = async ({ type, data: schema }: Event, data: unknown) => {
        const parsed = schema.parse(data);
        unit.afterCommit(() => this.#published.push({ type, data: parsed }));
      };
      return task(Object.assign(unit, { publish, clock: this.#clock }) as unknown as U);
    });
  }

  /** Answers a call. A repeated command gets its first answer again, as from a real module, and needs no line in the script. */
  async #answer(operation: Operation, input: unknown, key: string): Promise<unknown> {
    if (this.#answers.has(key)) return this.#answers.get(key);
    try {
      const { outcome, afterMs } = this.#next(operation, parseInput(operation.input, input), key);
      this.#clock.advance(afterMs);
      if (outcome !== 'crash') return this.#answered(operation, key, outcome());
      this.#crash();
    } catch (error) {
      this.#failure = error instanceof Error ? error : new Error(messageOf(error));
    }
    return new Promise(() => {});
  }

  async #answered({ kind }: Operation, key: string, outcome: Promise<unknown>): Promise<unknown> {
    const answer = await outcome;
    if (kind === 'command') this.#answers.set(key, answer);
    return answer;
  }

  /** Takes the next call from the script. Throws when it is not this call. */
  #next(operation: Operation, input: unknown, key: string): Scripted {
    const due = this.#script.shift();
    const name = nameOf(operation);
    if (due?.operation !== operation) {
      throw unexpected(due ? nameOf(due.operation) : 'no further call', name, `${name} was not expected now`);
    }
    if (due.input !== undefined && !isDeepStrictEqual(input, due.input)) {
      throw unexpected(due.input, input, `${name} was called with another input`);
    }
    if (due.again && key !== this.#lastKey) {
      throw unexpected(this.#lastKey, key, `${name} came again with another key`);
    }
    this.#lastKey = key;
    return due;
  }

  /** Replaces the process. Its work in flight is lost; the new process starts from the recorded state. */
  #crash(): void {
    void this.#runner.stop();
    this.#runner = this.#newRunner();
    void this.#runner.start();
  }
}

function nameOf({ module, name }: Operation): string {
  return `${module}.${name}`;
}

function unexpected(expected: unknown, actual: unknown, message: string): AssertionError {
  return new AssertionError({ message, expected, actual });
}
