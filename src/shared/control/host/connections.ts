import {
  type CallSource,
  callsOver,
  createPush,
  Directory,
  type RoadHooks,
  type TlsMaterial,
} from '../../kernel/calls/index.ts';
import { steadyClock, systemClock } from '../../kernel/context/index.ts';
import type { DatabaseEngine } from '../../kernel/database/index.ts';
import { type Bus, openBus, subscriptionMap } from '../../kernel/events/index.ts';
import type { ModuleDefinition } from '../../kernel/module/index.ts';
import type { Adapters } from '../../kernel/ports/index.ts';
import { createLog, type Log } from '../../kernel/telemetry/index.ts';
import { Observation } from '../advice/index.ts';
import { CallFaults, faultStep } from '../faults/index.ts';
import { type Identity, ServiceTokens } from '../identity/index.ts';
import type { Topology } from '../topology/index.ts';
import { openIdentity } from './enrolment.ts';
import { watchOpenFiles } from './open-files.ts';
import { readTls } from './tls-files.ts';

/** The routes of a process to all modules, local and remote. */
export interface Connections {
  readonly log: Log;
  readonly identity: Identity;
  readonly tokens: ServiceTokens;
  readonly tls: TlsMaterial;
  readonly faults: CallFaults;
  readonly directory: Directory;
  readonly calls: CallSource;
  /** Observes the calls that leave the modules of this process, in detail only while an operator asks for it. */
  readonly observation: Observation;
  readonly bus: Bus;
  readonly adapters: Adapters;
  /** Opens the databases of the modules that run here. */
  readonly engine: DatabaseEngine;
}

export async function connect(
  topology: Topology,
  definitions: readonly ModuleDefinition[],
  adapters: Adapters,
): Promise<Connections> {
  const { settings, only, policies } = topology;
  const tls = readTls(settings);
  const identity = await openIdentity(topology, tls);
  const tokens = new ServiceTokens(identity);
  const log = createLog(settings.LOG_LEVEL, { process: only?.join(',') ?? 'home' }, settings.LOG_FILE);
  watchOpenFiles(log);
  // A fault ends at the same time in every process: all processes share the system's time.
  const faults = new CallFaults(identity);
  const observation = new Observation();
  const hooks: RoadHooks = {
    observe: (caller, operation) => observation.step(caller, operation),
    faults: faultStep(faults, systemClock),
  };
  const contracts = new Map(definitions.map(({ contract }) => [contract.name, contract]));
  const directory = new Directory({
    ...{ policies, log, clock: systemClock, steady: steadyClock, random: Math.random, parity: settings.PARITY },
    modules: [...contracts.keys()],
    hooks,
    connect: (module, address, onLeaving) => {
      const contract = contracts.get(module)!;
      return adapters.connect({ module, contract, address, tokens, tls, onLeaving });
    },
  });
  const calls = callsOver(directory, policies, hooks);
  const bus = await openBus({
    ...{ bus: settings.BUS, before: settings.BUS_BEFORE, clock: steadyClock, log, push: createPush(calls) },
    busOpenerFor: (url) => adapters.busOpenerFor(url),
    subscriptions: subscriptionMap(definitions),
  });
  const engine = adapters.find('openEngine', 'the data of the modules')(settings.DATA_DIR);
  return { log, identity, tokens, tls, faults, directory, calls, observation, bus, adapters, engine };
}
