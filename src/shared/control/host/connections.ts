import type { CallSource } from '../../kernel/calls/index.ts';
import { steadyClock, systemClock } from '../../kernel/context/index.ts';
import type { DatabaseEngine } from '../../kernel/database-engine/index.ts';
import { type Bus, createPush, subscriptionMap } from '../../kernel/events/index.ts';
import type { ModuleDefinition } from '../../kernel/module/index.ts';
import type { TlsMaterial } from '../../kernel/ports/index.ts';
import type { Log } from '../../kernel/telemetry/index.ts';
import type { Adapters } from '../adapter-list/index.ts';
import { openBus } from '../bus/index.ts';
import { type Identity, ServiceTokens } from '../identity/index.ts';
import type { Logs } from '../logs/index.ts';
import { type ControlPart, type OpenControl, openParts } from '../parts/index.ts';
import { callSourceOf, Directory } from '../routing/index.ts';
import type { Topology } from '../topology/index.ts';
import { openIdentity } from './enrolment.ts';
import { openLogs, processName } from './logs.ts';
import { watchOpenFiles } from './open-files.ts';
import { readTls } from './tls-files.ts';

/** The routes of a process to all modules, local and remote. */
export interface Connections {
  readonly logs: Logs;
  /** The log of what belongs to no module. */
  readonly log: Log;
  readonly identity: Identity;
  readonly tokens: ServiceTokens;
  readonly tls: TlsMaterial;
  /** What the optional parts of control add. */
  readonly openControl: OpenControl;
  readonly directory: Directory;
  readonly calls: CallSource;
  readonly bus: Bus;
  readonly adapters: Adapters;
  /** Opens the databases of the modules that run here. */
  readonly engine: DatabaseEngine;
}

export async function connect(
  topology: Topology,
  definitions: readonly ModuleDefinition[],
  control: readonly ControlPart[],
): Promise<Connections> {
  const { settings, adapters, policies } = topology;
  const tls = readTls(settings);
  const identity = await openIdentity(topology, tls);
  const tokens = new ServiceTokens(identity);
  const logs = openLogs(topology, definitions);
  const log = logs.of(processName(topology));
  watchOpenFiles(log);
  const openControl = openParts(control, { topology, identity, logs, log, definitions });
  const { hooks } = openControl;
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
  const calls = callSourceOf(directory, policies, hooks);
  const bus = await openBus({
    ...{ bus: settings.BUS, before: settings.BUS_BEFORE, clock: steadyClock, log, push: createPush(calls) },
    busOpenerFor: (url) => adapters.busOpenerFor(url),
    subscriptions: subscriptionMap(definitions),
  });
  const engine = adapters.find('openEngine', 'the data of the modules')(settings.DATA_DIR);
  return { logs, log, identity, tokens, tls, openControl, directory, calls, bus, adapters, engine };
}
