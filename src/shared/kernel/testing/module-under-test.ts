import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { z } from 'zod';
import { openSqlite } from '../../adapters/sqlite/index.ts';
import { createCall, InProcessTransport } from '../calls/index.ts';
import {
  background,
  type CallContext,
  type Clock,
  instant,
  ManualClock,
  newId,
  runInContext,
  steadyClock,
} from '../context/index.ts';
import { type CallOptions, type Contract, type Event, mismatch, type Operation, parserOf } from '../contract/index.ts';
import type { Database } from '../database/index.ts';
import { isRefusal } from '../errors/index.ts';
import { encodeEvent, familyOf, parseEvent } from '../events/index.ts';
import {
  type Assembly,
  assemble,
  type DefinedModule,
  type ModuleDefinition,
  migrationsOf,
  seedOnce,
  type UsedContracts,
} from '../module/index.ts';
import { type Log, silentLog } from '../telemetry/index.ts';
import { outboxOnly, PublishedEvents } from './published-events.ts';
import { StubbedModules, type Stubs } from './stubs.ts';
import { TestedTimers } from './tested-timers.ts';

/** The surroundings of a module under test. */
export interface ModuleTestOptions<S extends z.ZodObject = z.ZodObject, U extends UsedContracts = UsedContracts> {
  /** Answers the calls to the modules that it uses. */
  readonly stubs?: Stubs<U>;
  readonly settings?: Partial<z.input<S>>;
  /** Its time, which only `advance` moves. Defaults to a clock that begins at the first of January 2026. */
  readonly clock?: ManualClock;
}

/** How a test calls an operation. The caller is the gateway, unless the test says otherwise. */
export interface TestCallOptions extends CallOptions, Partial<Pick<CallContext, 'member' | 'caller'>> {}

/** Calls each operation of a contract as another process would: by its schemas, with values that have been JSON. */
export type TestedOperations<C extends Contract> = {
  readonly [K in keyof C['operations']]: (
    input: z.input<C['operations'][K]['input']>,
    options?: TestCallOptions,
  ) => Promise<z.output<C['operations'][K]['output']>>;
};

const patienceMs = 10_000;

/** A module that a test opens: the real parts of a module, whose time the test moves. */
export class ModuleUnderTest {
  readonly clock: ManualClock;
  readonly database: Database;
  readonly operations: TestedOperations<Contract>;
  readonly #assembly: Assembly;
  readonly #stubbed: StubbedModules;
  readonly #definition: ModuleDefinition;
  readonly #timers: TestedTimers;
  readonly #events: PublishedEvents;
  /** The last error of a handler of an event. */
  #handlerError: { readonly error: unknown } | undefined;
  /** The last error that the module has logged: the cause of an `internal` refusal. */
  #logged: unknown;
  readonly #folder = mkdtempSync(join(tmpdir(), 'kerf-module-'));
  #closed = false;

  private constructor(definition: DefinedModule, { stubs = {}, settings = {}, clock }: ModuleTestOptions) {
    const { name } = definition.contract;
    this.clock = clock ?? new ManualClock();
    this.#definition = definition;
    this.#stubbed = new StubbedModules(definition.uses ?? {}, stubs);
    const file = join(this.#folder, `${name}.db`);
    this.database = openSqlite(name, file, migrationsOf(definition), silentLog, undefined, { sync: noSync });
    this.#assembly = assemble(this.database, this.#watched(definition), {
      ...{ openDatabase: () => this.database, bus: outboxOnly, brokers: [], clock: withoutDelay(this.clock) },
      log: this.#log(),
      calls: this.#stubbed.calls,
      settings: definition.settings?.parse(settings) ?? {},
    });
    this.#timers = new TestedTimers(this.#assembly, this.clock);
    this.#events = new PublishedEvents(this.database);
    this.operations = this.#operations(definition.contract);
  }

  static async open(definition: DefinedModule, options: ModuleTestOptions): Promise<ModuleUnderTest> {
    const module = new ModuleUnderTest(definition, options);
    await module.#start();
    return module;
  }

  async when(event: Event, data: unknown, id = newId()): Promise<void> {
    const { contract, subscriptions = [] } = this.#definition;
    const known = subscriptions.map((each) => each.event.type);
    if (!known.some((type) => familyOf(type) === familyOf(event.type)))
      throw new Error(
        `${contract.name} does not subscribe to ${event.type}; it subscribes to ${known.join(', ') || 'no event'}`,
      );
    const { json } = encodeEvent(event, checked(event, data), { id, time: instant(this.clock) });
    this.#handlerError = undefined;
    await this.#assembly.inbox.receive(parseEvent(json));
    const failed = this.#handlerError as { readonly error: unknown } | undefined;
    await this.idle();
    if (failed) throw failed.error;
  }

  published<E extends Event>(event: E): z.output<E['data']>[] {
    return this.#events.of(event);
  }

  async advance(ms: number): Promise<void> {
    const { instance, inbox, sagas } = this.#assembly;
    // Work in flight ends at the time at which it began.
    await this.idle();
    this.clock.advance(ms);
    // Renews its lease, without which no saga goes on.
    await instance.look();
    inbox.wake();
    sagas.wake();
    await this.idle();
  }

  async idle(): Promise<void> {
    const patientUntil = performance.now() + patienceMs;
    const failed = await this.#timers.ran().then(
      () => undefined,
      (error: unknown) => ({ error }),
    );
    for (let busy = await this.#busy(); busy !== undefined; busy = await this.#busy()) {
      if (performance.now() > patientUntil)
        throw new Error(`${busy} does not end; a stub that it calls may not answer`);
      await turn();
    }
    await this.#told();
    if (failed) throw failed.error;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    const { sagas, inbox, instance, inside } = this.#assembly;
    sagas.drain();
    await this.#timers.stop();
    await Promise.all([sagas.stop(), inbox.stop()]);
    await instance.stop();
    await inside.close?.();
    await this.database.close();
    rmSync(this.#folder, { recursive: true });
    this.#stubbed.throwBreach();
  }

  async #start(): Promise<void> {
    const { inside, work, instance, inbox, sagas } = this.#assembly;
    if (inside.seed) await seedOnce(this.database, work, inside.seed);
    await this.#events.skip();
    await instance.start();
    await inbox.start();
    await sagas.start();
    await this.#timers.start(this.#definition.contract.name);
  }

  /** Returns the saga or the event that can go on now, if there is one. */
  async #busy(): Promise<string | undefined> {
    const now = this.clock.now();
    const [row] = (await this.database.db.all(`
      SELECT 'saga ' || name || ' ' || id AS busy FROM kerf_sagas
      WHERE state IN ('running', 'compensating') AND (owner IS NOT NULL OR next_attempt_at <= ${now})
      UNION ALL SELECT 'event ' || type FROM kerf_held WHERE state = 'failed' AND next_attempt_at <= ${now}
      LIMIT 1
    `)) as { busy: string }[];
    return row?.busy;
  }

  /** Reads what the module has published, and throws when a contract was broken. */
  async #told(): Promise<void> {
    await this.#events.read();
    this.#stubbed.throwBreach();
  }

  #operations({ operations }: Contract): TestedOperations<Contract> {
    const transport = new InProcessTransport(this.#assembly.dispatcher.dispatch, 'strict');
    const calling =
      (operation: Operation) =>
      async (input: unknown, options: TestCallOptions = {}) => {
        if (this.#closed) throw new Error(`${operation.module} is closed: its test has ended`);
        const { member, caller = 'gateway', ...rest } = options;
        const context = { requestId: newId(), caller, member, deadline: Number.POSITIVE_INFINITY };
        const call = createCall(operation, caller, () => transport);
        try {
          return await runInContext(context, () => call(input, rest));
        } catch (error) {
          if (isRefusal(error, 'internal')) error.cause ??= this.#logged;
          throw error;
        } finally {
          await this.#told();
        }
      };
    return Object.fromEntries(Object.values(operations).map((each) => [each.name, calling(each)]));
  }

  #watched(definition: DefinedModule): ModuleDefinition {
    const subscriptions = definition.subscriptions?.map((each) => ({
      ...each,
      handle: (...given: Parameters<typeof each.handle>) =>
        each.handle(...given).catch((error: unknown) => {
          this.#handlerError = { error };
          throw error;
        }),
    }));
    return { ...definition, ...(subscriptions && { subscriptions }) };
  }

  #log(): Log {
    const keep = (fields: unknown) => {
      if (typeof fields === 'object' && fields && 'error' in fields) this.#logged = fields.error;
    };
    return { ...silentLog, error: keep, warn: keep };
  }
}

/** Runs a task without a delay as soon as the running code waits: a caller that waits for no time must not wait for `advance`. */
function withoutDelay(clock: ManualClock): Clock {
  const after: Clock['after'] = (delayMs, task) => (delayMs > 0 ? clock : steadyClock).after(delayMs, task);
  return { now: () => clock.now(), after };
}

const noSync = (_: number, done: (error: null) => void) => done(null);
const turn = () => new Promise<void>((resolve) => background.setImmediate(resolve));

/** Returns the data of an event. Throws a sentence that says where they do not match the schema. */
function checked({ type, data: schema }: Event, data: unknown): unknown {
  try {
    return parserOf(schema)(data);
  } catch (error) {
    throw new Error(`the data of ${type} is invalid: ${mismatch(schema, data).message}`, { cause: error });
  }
}
