import {
  asLocalCallerSees,
  type CallSource,
  type Dispatch,
  kernelOperation,
  type RoadHooks,
  type Serve,
  type ServeStep,
} from '../../kernel/calls/index.ts';
import { runInContext, systemClock } from '../../kernel/context/index.ts';
import type { Operation } from '../../kernel/contract/index.ts';
import type { DatabaseEngine, DatabaseRecords } from '../../kernel/database-engine/index.ts';
import { isRefusal } from '../../kernel/errors/index.ts';
import type { Bus } from '../../kernel/events/index.ts';
import { type ModuleDefinition, type OpenModule, openModule } from '../../kernel/module/index.ts';
import type { Adapters } from '../adapter-list/index.ts';
import type { Logs } from '../logs/index.ts';
import { Admission, type Directory } from '../routing/index.ts';
import type { Topology } from '../topology/index.ts';
import { type Handover, handoverOf } from './handover.ts';

/** The dependencies of the modules that a process opens. */
export interface ModulesHereDependencies {
  readonly bus: Bus;
  readonly adapters: Adapters;
  readonly logs: Logs;
  readonly calls: CallSource;
  readonly engine: DatabaseEngine;
  readonly directory: Directory;
  readonly hooks: RoadHooks;
}

/** A module that runs in this process, with what other processes and replicas need of it. */
export interface ModuleHere extends OpenModule {
  /** Limits the calls of other processes. */
  readonly admission: Admission;
  /** Transfers leadership and sagas to another replica, or takes them over from one. */
  readonly handover: Handover;
}

/** The modules that run in this process. */
export class ModulesHere {
  readonly open = new Map<string, ModuleHere>();
  #serve: Serve | undefined;
  private readonly topology: Topology;
  private readonly definitions: readonly ModuleDefinition[];
  private readonly connections: ModulesHereDependencies;
  private readonly records: DatabaseRecords;

  constructor(
    topology: Topology,
    definitions: readonly ModuleDefinition[],
    connections: ModulesHereDependencies,
    records: DatabaseRecords,
  ) {
    this.topology = topology;
    this.definitions = definitions;
    this.connections = connections;
    this.records = records;
  }

  /** Sets the function that serves the kernel's operations of the modules here. The host calls it before it serves any module. */
  serveBy(serve: Serve): void {
    this.#serve = serve;
  }

  /** Opens a module on its data. It does no work and receives no calls yet. Throws a `StartError` when the data is damaged. */
  async add(name: string): Promise<ModuleHere> {
    const { bus, adapters, logs, calls, engine, hooks } = this.connections;
    const log = logs.of(name);
    const definition = this.definitions.find(({ contract }) => contract.name === name)!;
    const settings = this.topology.settingsOf(name);
    const opened = await openModule(definition, {
      openDatabase: (module, migrations) => engine.open(module, migrations, { log, records: this.records }),
      bus,
      brokers: adapters.brokers.flatMap(({ events }) => events?.recipient ?? []),
      clock: systemClock,
      log,
      calls,
      hooks: { ...hooks, servers: [...(hooks.servers ?? []), logServed(logs)] },
      settings,
    });
    const module = { ...opened, admission: new Admission({ clock: systemClock }), handover: handoverOf(opened) };
    this.open.set(name, module);
    return module;
  }

  /** Routes calls to the module here from now on. */
  serve(name: string): void {
    const { dispatch } = this.open.get(name)!;
    this.connections.directory.here(name, this.#withKernel(name, dispatch));
  }

  /** Lets the calls in flight finish, and closes the module's data. Meanwhile, callers look for the module elsewhere. */
  async remove(name: string): Promise<void> {
    const module = this.open.get(name);
    this.open.delete(name);
    await module?.close();
  }

  /** Serves the kernel's own operations, such as `receive` for events, also for a module that runs here. */
  #withKernel(name: string, dispatch: Dispatch): Dispatch {
    return (operation, input, context, request) => {
      if (!kernelOperation(operation)) return dispatch(operation, input, context, request);
      return this.#serve!(name, operation, input, context).catch((error) => {
        throw request ? asLocalCallerSees(error, request) : error;
      });
    };
  }
}

/** Makes the step of the road that logs each served call at the level `debug`. */
function logServed(logs: Logs): (operation: Operation) => ServeStep {
  return ({ module, name: operation }) =>
    (call, next) => {
      const work = next(call);
      if (!logs.writes(module, 'debug')) return work;
      const startedAt = performance.now();
      const { caller } = call.context;
      const ended = (outcome: string) =>
        runInContext(call.context, () => {
          const ms = Math.round(performance.now() - startedAt);
          logs.of(module).debug({ operation, caller, outcome, ms }, 'a call was served');
        });
      work.then(
        () => ended('done'),
        (error: unknown) => ended(isRefusal(error) ? error.code : 'failed'),
      );
      return work;
    };
}
