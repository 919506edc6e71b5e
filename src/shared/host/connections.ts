import { join } from 'node:path';
import { systemClock } from '../clock/index.ts';
import { type Bus, openBus, subscriptionMap } from '../events/index.ts';
import { FileKeyRing, fixedKeyRing, ServiceTokens } from '../identity/index.ts';
import type { ModuleDefinition } from '../module/index.ts';
import { createLog, type Log } from '../observability/index.ts';
import { Directory, type Topology } from '../topology/index.ts';
import { type CallSource, createCall, createPush, Peers } from '../transport/index.ts';

/** A process's ways to the modules, here and elsewhere. */
export interface Connections {
  readonly log: Log;
  readonly tokens: ServiceTokens;
  readonly peers: Peers;
  readonly directory: Directory;
  readonly calls: CallSource;
  readonly bus: Bus;
  /** Where this process's own internal listener is, once it listens. */
  address: string;
}

export async function connect(topology: Topology, definitions: readonly ModuleDefinition[]): Promise<Connections> {
  const { settings, only } = topology;
  const keys = settings.INTERNAL_KEY
    ? fixedKeyRing('INTERNAL_KEY', settings.INTERNAL_KEY)
    : new FileKeyRing(join(settings.DATA_DIR, 'keys', 'internal.json'));
  const tokens = new ServiceTokens(keys);
  const peers = new Peers();
  const names = definitions.map(({ contract }) => contract.name);
  const directory = new Directory(names, peers, tokens);
  const addressOfModule = (module: string) => {
    const at = directory.of(module);
    return at.state === 'there' ? at.address : at.state === 'here' ? connections.address : undefined;
  };
  const log = createLog(settings.LOG_LEVEL, { process: only?.join(',') ?? 'home' });
  const bus = await openBus({
    ...{ bus: settings.BUS, before: settings.BUS_BEFORE, clock: systemClock, log },
    subscriptions: subscriptionMap(
      definitions.map(({ contract, subscribesTo }) => ({ name: contract.name, subscribesTo: subscribesTo ?? [] })),
    ),
    push: createPush(addressOfModule, peers, tokens),
  });
  const calls: CallSource = (operation, caller) =>
    createCall(operation, caller, () => directory.of(operation.module).transport);
  const connections: Connections = { log, tokens, peers, directory, calls, bus, address: '' };
  return connections;
}
