import type { Call, CallSource, Dispatch, RoadHooks } from '../calls/index.ts';
import { type Clock, currentContext, newId, runInContext } from '../context/index.ts';
import type { Contract, Operation } from '../contract/index.ts';
import { type Database, kernelPrefix, type Migration, probeWrite, type Unit } from '../database/index.ts';
import { StartError } from '../errors/index.ts';
import {
  type Bus,
  DeadLetters,
  eventMigrations,
  Inbox,
  Outbox,
  oldestOpen,
  type Receive,
  Relay,
  readdress,
} from '../events/index.ts';
import { Instance, type InstanceDependencies, instanceMigrations } from '../leader-election/index.ts';
import { calledBy, type SagaCalls, SagaRunner, sagaMigrations } from '../saga/index.ts';
import { activeTrace, type Log } from '../telemetry/index.ts';
import type { CallsInFlight } from './calls-in-flight.ts';
import { commandMigrations } from './commands.ts';
import { ModuleContainer } from './container.ts';
import { type AnyHandler, Dispatcher } from './dispatcher.ts';
import { housekeeping, seedMigrations, seedOnce } from './housekeeping.ts';
import {
  type ModuleDefinition,
  type ModuleImplementation,
  type ModuleUnit,
  refuseWrongListensTo,
  type Steps,
} from './module.ts';
import { refuseInvalidTimers } from './schedule.ts';
import { startTimers, timerMigrations } from './timers.ts';
import * as tokens from './tokens.ts';
import { traceUnit } from './trace-unit.ts';

/** The services that a process gives to the modules that it opens. */
export interface Surroundings {
  /** Opens a module's data. Throws a `StartError` when the data is lost or damaged. */
  readonly openDatabase: (module: string, migrations: Migration[]) => Database;
  readonly bus: Bus;
  /** The recipients in outboxes that are brokers, also brokers that carry no events now. */
  readonly brokers: readonly string[];
  readonly clock: Clock;
  readonly log: Log;
  readonly calls: CallSource;
  readonly settings: Record<string, unknown>;
  /** The steps that control adds to the road of calls. */
  readonly hooks?: RoadHooks;
  /** Identifies this process among the processes on the same data. Defaults to its host name and process id. */
  readonly process?: Pick<InstanceDependencies, 'host' | 'pid' | 'runs'>;
}

/** A module that runs in this process. */
export interface OpenModule {
  readonly name: string;
  readonly database: Database;
  readonly dispatch: Dispatch;
  /** The calls in flight to this module in this process, from every transport. */
  readonly inFlight: CallsInFlight;
  /** Receives an event from the bus and handles it once. */
  readonly receive: Receive;
  readonly deadLetters: DeadLetters;
  /** Whether this process leads the module's instances, and since which term. */
  readonly instance: Instance;
  /** Checks that the database accepts writes. Rejects with the reason when it does not. */
  probeWrite(): Promise<void>;
  /** Returns how long the oldest event in the outbox has waited for each recipient, in milliseconds. */
  oldestEvents(): Promise<readonly { readonly recipient: string; readonly waitedMs: number }[]>;
  /** Starts event delivery, sagas and timers. */
  start(): Promise<void>;
  /** Tells the relay and the sagas that another module is reachable again, so that they stop waiting for it. */
  wake(other: string): void;
  /** Ends every wait for a saga: current and later waiters get `undefined`. */
  drain(): void;
  readonly sagas: SagaRunner<ModuleUnit>;
  /** The names of the timers. */
  readonly timers: readonly string[];
  /** Stops event delivery, sagas and timers. The module still serves calls. Resolves when all work that it began is recorded. */
  stop(): Promise<void>;
  /** Stops, lets the calls in flight finish, and closes the data. */
  close(): Promise<void>;
}

const kernelMigrations: Migration[] = [
  ...[...instanceMigrations, ...eventMigrations, ...sagaMigrations],
  ...[...commandMigrations, ...seedMigrations, ...timerMigrations],
];

/** Opens a module on its data. Throws a `StartError` when its definition is wrong, or its data damaged or not writable. */
export async function openModule(definition: ModuleDefinition, around: Surroundings): Promise<OpenModule> {
  const migrations = migrationsOf(definition);
  refuseWrongListensTo(definition);
  const database = around.openDatabase(definition.contract.name, migrations);
  try {
    return await openOn(database, definition, around);
  } catch (error) {
    await database.close();
    throw error;
  }
}

async function openOn(database: Database, definition: ModuleDefinition, around: Surroundings): Promise<OpenModule> {
  const { contract } = definition;
  const { clock, log, bus } = around;
  const container = containerOf(definition, around);
  const inside = definition.open(container);
  const timers = [...(inside.timers ?? []), housekeeping(clock)];
  refuseInvalidTimers(contract.name, timers, clock.now());
  const calls = sagaCalls(container, inside, contract.name, () => database.onDisk());
  const { relay, sagas, instance, work, workAhead } = assemble(contract.name, database, inside, calls, around);
  const steps = stepsOf({ read: database, clock, work, settled: sagas.settled.bind(sagas) });
  const handlers = inside.operations as Readonly<Record<string, AnyHandler>>;
  const dispatcher = new Dispatcher(contract, handlers, steps, clock, log, workAhead, around.hooks);
  const subscriptions = (definition.subscriptions ?? []).map(({ event, handle }) => ({
    event,
    handle: (data: never, unit: ModuleUnit) => handle(data, unit, container),
  }));
  const { listener } = around.hooks ?? {};
  const inbox = new Inbox<ModuleUnit>({ module: contract.name, subscriptions, database, work, clock, log, listener });
  const receive: Receive = (event, exhausted) => inbox.receive(event, exhausted);
  const wake = (recipient?: string) => (recipient ? relay.wake(recipient) : inbox.wake());
  const deadLetters = new DeadLetters({ database, clock, wake });
  if (inside.seed) await seedOnce(database, work, inside.seed);

  const recipients = [...new Set(Object.values(contract.events).flatMap(({ type }) => bus.recipients(type)))];
  instance.whileLeader(async () => {
    const moved = await readdress(database, bus, recipients, around.brokers);
    if (moved > 0) log.warn({ module: contract.name, moved }, 'events that waited for another bus go by this one');
    await inbox.start();
    return () => inbox.stop();
  });
  instance.whileLeader(() => bus.subscribe(contract.name, receive));
  instance.whileLeader(async () =>
    startTimers({ module: contract.name, timers, work, fence: (unit) => instance.fence(unit), clock, log }),
  );
  instance.whileLeader(async () => {
    relay.start(recipients);
    return () => relay.stop();
  });
  instance.whileLeader(async () =>
    lookNowAndThen(instance, clock, () => {
      relay.start(recipients);
      inbox.wake();
    }),
  );
  const stop = async () => {
    await Promise.all([instance.endLeaderTasks(), sagas.stop()]);
    await instance.stop();
  };
  return {
    name: contract.name,
    database,
    probeWrite: () => probeWrite(database),
    async oldestEvents() {
      const oldest = await oldestOpen(database, recipients);
      return oldest.map(({ recipient, since }) => ({ recipient, waitedMs: Math.max(0, clock.now() - since) }));
    },
    dispatch: dispatcher.dispatch,
    inFlight: dispatcher.inFlight,
    receive,
    deadLetters,
    instance,
    async start() {
      await instance.start();
      await sagas.start();
    },
    wake(other) {
      relay.recipientReachable(other);
      sagas.remoteReachable(other);
    },
    drain: () => sagas.drain(),
    sagas,
    timers: timers.map(({ name }) => name),
    stop,
    async close() {
      await stop();
      await dispatcher.inFlight.idle();
      await inside.close?.();
      await database.close();
    },
  };
}

/** Builds the steps that all calls share. `signal` belongs to the current call. `answer` records nothing, as for a call without a key. */
function stepsOf(fixed: Omit<Steps, 'signal' | 'answer'>): Steps {
  return {
    ...fixed,
    answer: async () => {},
    get signal() {
      return currentContext()?.cancellation?.signal ?? never;
    },
  };
}

const never = new AbortController().signal;

/** Returns all migrations of a module's data, in order. Throws a `StartError` when the module uses a migration name of the kernel. */
export function migrationsOf({ contract: { name }, migrations: own }: ModuleDefinition): Migration[] {
  const reserved = own.find((each) => each.name.startsWith(kernelPrefix));
  if (reserved)
    throw new StartError(
      `migration "${reserved.name}" of "${name}": names that begin with ${kernelPrefix} are Kerf's own`,
    );
  return [...kernelMigrations, ...own];
}

const lookMs = 100;
const lookAloneMs = 1_000;

/**
 * Calls `look` periodically, because a write of another instance wakes nothing in this process. Continues after the other instance has
 * gone. Returns a function that stops it.
 */
function lookNowAndThen(instance: Instance, clock: Clock, look: () => void): () => void {
  let cancel = () => {};
  const again = () => {
    cancel = clock.after(instance.alone ? lookAloneMs : lookMs, () => {
      look();
      again();
    });
  };
  again();
  return () => cancel();
}

function containerOf({ about }: ModuleDefinition, { calls, settings, clock, log }: Surroundings) {
  const container = new ModuleContainer(about, calls, settings);
  container.register(tokens.clock, () => clock);
  container.register(tokens.log, () => log);
  return container;
}

/** Creates the relay, the saga runner, the instance, and units of work that can publish events and begin sagas. */
function assemble(
  module: string,
  database: Database,
  inside: ModuleImplementation<Contract>,
  call: SagaCalls,
  around: Surroundings,
) {
  const { bus, clock, log } = around;
  const relay = new Relay({ module, database, bus, clock, log, listener: around.hooks?.listener });
  const outbox = new Outbox(bus, clock, (recipient) => relay.wake(recipient));
  const extend = (unit: Unit): ModuleUnit =>
    Object.assign<Unit, Omit<ModuleUnit, keyof Unit>>(unit, {
      clock,
      publish: (event, data) => outbox.publish(unit, event, data),
      begin: (saga, id, data) => sagas.begin(unit, saga, id, data),
    });
  const work = <T>(task: (unit: ModuleUnit) => Promise<T>) =>
    traceUnit(module, task, (traced) => database.work((unit) => traced(extend(unit))));
  const workAhead = <T>(task: (unit: ModuleUnit) => Promise<T>) =>
    traceUnit(module, task, (traced) => database.workAhead((unit) => traced(extend(unit))));
  const instance = new Instance({ database, clock, log, ...around.process });
  const parts = { module, sagas: inside.sagas ?? [], database, instance, work: workAhead, call, clock, log };
  const sagas = new SagaRunner<ModuleUnit>(parts);
  return { relay, sagas, instance, work, workAhead };
}

/** Returns the calls of the module's sagas. Throws a `StartError` when a saga calls a module that `module.json` does not declare. */
function sagaCalls(
  container: ModuleContainer,
  inside: ModuleImplementation<Contract>,
  caller: string,
  onDisk: () => Promise<void>,
): SagaCalls {
  const operations = (inside.sagas ?? []).flatMap(calledBy);
  const calls = new Map<Operation, Call>(operations.map((operation) => [operation, container.call(operation)]));
  return (operation, input, idempotencyKey) => {
    const context = { requestId: newId(), trace: activeTrace(), caller, deadline: Number.POSITIVE_INFINITY, onDisk };
    // `calls` has every operation that a saga of the module calls.
    return runInContext(context, () => calls.get(operation)!(input, { idempotencyKey }));
  };
}
