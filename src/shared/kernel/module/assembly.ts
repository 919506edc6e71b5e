import type { Call, CallSource, RoadHooks } from '../calls/index.ts';
import { type Clock, currentContext, newId, runInContext } from '../context/index.ts';
import type { Contract, Operation } from '../contract/index.ts';
import type { Database, Migration, Unit } from '../database/index.ts';
import { type Bus, DeadLetters, Inbox, Outbox, Relay } from '../events/index.ts';
import { Instance, type InstanceDependencies } from '../leader-election/index.ts';
import { calledBy, type SagaCalls, SagaRunner } from '../saga/index.ts';
import { activeTrace, type Log } from '../telemetry/index.ts';
import { ModuleContainer } from './container.ts';
import { type AnyHandler, Dispatcher } from './dispatcher.ts';
import { housekeeping } from './housekeeping.ts';
import type { ModuleDefinition, ModuleImplementation, ModuleUnit, Steps, Timer } from './module.ts';
import { refuseInvalidTimers } from './schedule.ts';
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

/** The parts of an open module, connected to each other. None of them works yet. */
export interface Assembly {
  readonly inside: ModuleImplementation<Contract>;
  readonly timers: readonly Timer[];
  readonly instance: Instance;
  readonly relay: Relay;
  readonly inbox: Inbox<ModuleUnit>;
  readonly deadLetters: DeadLetters;
  readonly sagas: SagaRunner<ModuleUnit>;
  readonly dispatcher: Dispatcher;
  /** Runs a unit of work that can publish events and begin sagas. */
  readonly work: Steps['work'];
}

/** Makes the parts of a module on its data. Throws a `StartError` when its timers or its sagas are wrong. */
export function assemble(database: Database, definition: ModuleDefinition, around: Surroundings): Assembly {
  const { contract } = definition;
  const { clock, log, bus } = around;
  const { name: module } = contract;
  const { listener } = around.hooks ?? {};
  const container = containerOf(definition, around);
  const inside = definition.open(container);
  const timers = [...(inside.timers ?? []), housekeeping(clock)];
  refuseInvalidTimers(module, timers, clock.now());
  const relay = new Relay({ module, database, bus, clock, log, listener });
  const outbox = new Outbox(bus, clock, (recipient) => relay.wake(recipient));
  const extend = (unit: Unit): ModuleUnit =>
    Object.assign<Unit, Omit<ModuleUnit, keyof Unit>>(unit, {
      clock,
      publish: (event, data) => outbox.publish(unit, event, data),
      begin: (saga, id, data) => sagas.begin(unit, saga, id, data),
    });
  const work = <T>(task: (unit: ModuleUnit) => Promise<T>) =>
    traceUnit(module, task, (traced, usage) => database.work((unit) => traced(extend(unit)), usage));
  const workAhead = <T>(task: (unit: ModuleUnit) => Promise<T>) =>
    traceUnit(module, task, (traced, usage) => database.workAhead((unit) => traced(extend(unit)), usage));
  const instance = new Instance({ database, clock, log, ...around.process });
  const call = sagaCalls(container, inside, module, () => database.onDisk());
  const sagas = new SagaRunner<ModuleUnit>({
    ...{ module, sagas: inside.sagas ?? [], database, instance, work: workAhead, call, clock, log, listener },
  });
  const steps = stepsOf({ read: database, clock, work, settled: sagas.settled.bind(sagas) });
  const handlers = inside.operations as Readonly<Record<string, AnyHandler>>;
  const dispatcher = new Dispatcher(contract, handlers, steps, clock, log, workAhead, around.hooks);
  const subscriptions = (definition.subscriptions ?? []).map(({ event, handle }) => ({
    event,
    handle: (data: never, unit: ModuleUnit) => handle(data, unit, container),
  }));
  if (listener) database.onWritten?.((group) => listener.committed({ module, ...group }));
  const inbox = new Inbox<ModuleUnit>({ module, subscriptions, database, work, clock, log, listener });
  const wake = (recipient?: string) => (recipient ? relay.wake(recipient) : inbox.wake());
  const deadLetters = new DeadLetters({ database, clock, wake });
  return { inside, timers, instance, relay, inbox, deadLetters, sagas, dispatcher, work };
}

function containerOf({ about }: ModuleDefinition, { calls, settings, clock, log }: Surroundings) {
  const container = new ModuleContainer(about, calls, settings);
  container.register(tokens.clock, () => clock);
  container.register(tokens.log, () => log);
  return container;
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

/** Builds the steps that all calls share. `signal` belongs to the current call. `answer` records nothing, as for a call without a key. */
function stepsOf(fixed: Omit<Steps, 'signal' | 'answer'>): Steps {
  return {
    ...fixed,
    answer: async (_unit, output) => output,
    get signal() {
      return currentContext()?.cancellation?.signal ?? never;
    },
  };
}

const never = new AbortController().signal;
