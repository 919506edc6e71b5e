import type { Server } from 'node:http';
import { join } from 'node:path';
import { systemClock } from '../clock/index.ts';
import { type Bus, HttpBus, MittBus, type Push, subscriptionMap } from '../events/index.ts';
import { FileKeyRing, fixedKeyRing, operatorToken, ServiceTokens } from '../identity/index.ts';
import { type ModuleDefinition, type OpenModule, openModule } from '../module/index.ts';
import { createLog, type Log } from '../observability/index.ts';
import { Directory, type Topology } from '../topology/index.ts';
import { type CallSource, createCall, createInternalServer, createPush, Peers } from '../transport/index.ts';
import { type WhoIsAway, whoIsAway } from './away.ts';
import { createInternalService } from './internal-service.ts';
import { addressOf, listen, shut } from './listen.ts';
import { createOperations } from './operations.ts';
import { joinParent } from './parent.ts';
import { Services } from './services.ts';

/** A process of the system: the modules that run here, and the ways to all the others. */
export interface Host {
  readonly topology: Topology;
  readonly definitions: readonly ModuleDefinition[];
  readonly directory: Directory;
  readonly open: ReadonlyMap<string, OpenModule>;
  readonly services: Services;
  readonly calls: CallSource;
  readonly tokens: ServiceTokens;
  readonly peers: Peers;
  readonly log: Log;
  readonly away: WhoIsAway;
  /** Where the internal listener is. */
  readonly address: string;
  /** Whether it is about to stop. */
  readonly draining: boolean;
  /** Answers, here and in the services it started, whoever waits for a saga with what there is now. */
  drain(): void;
  /** Finishes what is under way, stops the services it started, closes the data. */
  close(): Promise<void>;
}

/** Opens what belongs in this process and connects it. Throws a `StartError` when something stands in the way. */
export async function openHost(topology: Topology, definitions: readonly ModuleDefinition[]): Promise<Host> {
  const { settings, only } = topology;
  const { DATA_DIR: dataDir } = settings;
  const log = createLog(settings.LOG_LEVEL, { process: only?.join(',') ?? 'home' });
  const keys = settings.INTERNAL_KEY
    ? fixedKeyRing('INTERNAL_KEY', settings.INTERNAL_KEY)
    : new FileKeyRing(join(dataDir, 'keys', 'internal.json'));
  const tokens = new ServiceTokens(keys);
  const peers = new Peers();
  const names = definitions.map(({ contract }) => contract.name);
  const directory = new Directory(names, peers, tokens);
  const calls: CallSource = (operation, caller) =>
    createCall(operation, caller, () => directory.of(operation.module).transport);

  let ownAddress = '';
  let draining = false;
  const addressOfModule = (module: string) => {
    const at = directory.of(module);
    return at.state === 'there' ? at.address : at.state === 'here' ? ownAddress : undefined;
  };
  const bus = createBus(topology, definitions, createPush(addressOfModule, peers, tokens));
  const open = new Map<string, OpenModule>();
  const local = definitions.filter(({ contract: { name } }) => belongsHere(topology, name));
  for (const definition of local) {
    const { name } = definition.contract;
    const settingsOfModule = topology.settingsOf(name);
    open.set(
      name,
      await openModule(definition, { dataDir, bus, clock: systemClock, log, calls, settings: settingsOfModule }),
    );
    directory.here(name, open.get(name)!.dispatch);
  }

  const services = new Services(topology, directory, peers, log);
  const operations = createOperations({
    topology,
    definitions,
    directory,
    open,
    services,
    peers,
    token: operatorToken(dataDir, settings.OPERATOR_TOKEN),
  });
  const service = createInternalService({ definitions, open, directory, calls, bus, operations });
  const server: Server = createInternalServer(service, tokens, log);
  const at = internalAddress(topology);
  await listen(server, at.host, at.port, at.setting);
  ownAddress = addressOf(server);

  placeTheOthers(topology, directory, names);
  directory.onChange((module) => {
    if (directory.of(module).state === 'away') return;
    for (const each of open.values()) each.wake(module);
  });
  const parent = joinParent(directory, names, open);
  await services.start(ownAddress);
  for (const each of open.values()) await each.start();
  parent.ready(ownAddress);

  return {
    topology,
    definitions,
    directory,
    open,
    services,
    calls,
    tokens,
    peers,
    log,
    away: whoIsAway(names, directory, peers),
    address: ownAddress,
    get draining() {
      return draining;
    },
    drain() {
      draining = true;
      for (const each of open.values()) each.drain();
      services.drain();
    },
    async close() {
      await Promise.all([...open.values()].map((each) => each.stop()));
      await services.stop();
      await shut(server, 1_000);
      await Promise.all([...open.values()].map((each) => each.close()));
      await bus.close();
      await peers.close();
    },
  };
}

function belongsHere({ only, placements }: Topology, module: string): boolean {
  return only ? only.includes(module) : placements.get(module)!.kind === 'in-process';
}

function createBus({ settings }: Topology, definitions: readonly ModuleDefinition[], push: Push): Bus {
  const subscriptions = subscriptionMap(
    definitions.map(({ contract, subscribesTo }) => ({ name: contract.name, subscribesTo: subscribesTo ?? [] })),
  );
  const http = new HttpBus(subscriptions, push);
  return settings.BUS === 'http' ? http : new MittBus(subscriptions, http);
}

/** A module run alone listens where the topology says others find it; any other process where its settings say. */
function internalAddress({ settings, placements, only }: Topology): { host: string; port: number; setting: string } {
  const placement = only?.length === 1 ? placements.get(only[0]!) : undefined;
  if (placement?.kind === 'address' && process.env.INTERNAL_PORT === undefined) {
    const { hostname, port } = new URL(placement.address);
    return { host: hostname, port: Number(port || 80), setting: `the placement of ${only![0]}` };
  }
  return { host: settings.INTERNAL_HOST, port: settings.INTERNAL_PORT, setting: 'INTERNAL_PORT' };
}

/** A service reaches what it has no address for through the home process. */
function placeTheOthers(
  { placements, only, homeAddress }: Topology,
  directory: Directory,
  names: readonly string[],
): void {
  for (const name of names) {
    const placement = placements.get(name)!;
    if (directory.of(name).state === 'here') continue;
    if (placement.kind === 'address') directory.there(name, placement.address);
    else if (only) directory.there(name, homeAddress);
  }
}
