import type { Server } from 'node:http';
import { systemClock } from '../clock/index.ts';
import { StartError } from '../errors/index.ts';
import { killAt } from '../faults/index.ts';
import { operatorToken } from '../identity/index.ts';
import { type ModuleDefinition, type OpenModule, openModule } from '../module/index.ts';
import type { Topology } from '../topology/index.ts';
import { createInternalServer } from '../transport/index.ts';
import { type WhoIsAway, whoIsAway } from './away.ts';
import { recordBus } from './bus-record.ts';
import { type Connections, connect } from './connections.ts';
import { createInternalService } from './internal-service.ts';
import { addressOf, listen, shut } from './listen.ts';
import { createOperations } from './operations.ts';
import { joinParent } from './parent.ts';
import { Services } from './services.ts';

/** A process of the system: the modules that run here, and the ways to all the others. */
export interface Host extends Readonly<Connections> {
  readonly topology: Topology;
  readonly definitions: readonly ModuleDefinition[];
  readonly open: ReadonlyMap<string, OpenModule>;
  readonly services: Services;
  /** Which modules cannot be reached now. */
  readonly away: WhoIsAway;
  /** Whether it is about to stop. */
  readonly draining: boolean;
  /** Answers, here and in the services it started, whoever waits for a saga with what there is now. */
  drain(): void;
  /** Finishes what is under way, stops the services it started, closes the data. */
  close(): Promise<void>;
}

/** Opens what belongs in this process and connects it. Throws a `StartError` when something stands in the way. */
export async function openHost(topology: Topology, definitions: readonly ModuleDefinition[]): Promise<Host> {
  if (topology.settings.FAULT_POINT) killAt(topology.settings.FAULT_POINT, topology.settings.DATA_DIR);
  const connections = await connect(topology, definitions);
  const { directory, peers, log } = connections;
  if (!topology.only) recordBus(topology.settings, log);
  const names = definitions.map(({ contract }) => contract.name);
  const open = await openModules(topology, definitions, connections);
  const services = new Services(topology, directory, peers, log);
  const away = whoIsAway(names, directory, peers);
  const server = await serve(topology, definitions, connections, open, services, away);
  connections.address = addressOf(server);

  placeTheOthers(topology, connections, names);
  directory.onChange((module) => {
    if (directory.of(module).state === 'away') return;
    for (const each of open.values()) each.wake(module);
  });
  const parent = joinParent(directory, names, open);
  await services.start(connections.address);
  for (const each of open.values()) await each.start();
  parent.ready(connections.address);

  let draining = false;
  return {
    ...connections,
    topology,
    definitions,
    open,
    services,
    away,
    get draining() {
      return draining;
    },
    drain() {
      draining = true;
      for (const each of open.values()) each.drain();
      services.drain();
    },
    close: () => closeAll(connections, open, services, server),
  };
}

async function openModules(
  topology: Topology,
  definitions: readonly ModuleDefinition[],
  { bus, log, calls, directory }: Connections,
): Promise<Map<string, OpenModule>> {
  const open = new Map<string, OpenModule>();
  const { DATA_DIR: dataDir } = topology.settings;
  for (const definition of definitions) {
    const { name } = definition.contract;
    if (!belongsHere(topology, name)) continue;
    const settings = topology.settingsOf(name);
    const module = await openModule(definition, { dataDir, bus, clock: systemClock, log, calls, settings });
    open.set(name, module);
    directory.here(name, module.dispatch);
  }
  return open;
}

async function serve(
  topology: Topology,
  definitions: readonly ModuleDefinition[],
  { directory, calls, bus, peers, tokens, log }: Connections,
  open: ReadonlyMap<string, OpenModule>,
  services: Services,
  away: WhoIsAway,
): Promise<Server> {
  const { DATA_DIR, OPERATOR_TOKEN } = topology.settings;
  const token = operatorToken(DATA_DIR, OPERATOR_TOKEN);
  const operations = createOperations({
    ...{ topology, definitions, directory, open, services, peers, tokens, token, log, away },
  });
  const service = createInternalService({ definitions, open, directory, calls, bus, operations, log });
  const server = createInternalServer(service, tokens, log);
  const { host, port, setting } = internalAddress(topology);
  await listen(server, host, port, setting);
  return server;
}

/** First nothing new begins, then what is under way ends, then the data is closed: each may need those after it. */
async function closeAll(
  { bus, peers }: Connections,
  open: ReadonlyMap<string, OpenModule>,
  services: Services,
  server: Server,
): Promise<void> {
  await Promise.all([...open.values()].map((each) => each.stop()));
  await services.stop();
  await shut(server, 1_000);
  await Promise.all([...open.values()].map((each) => each.close()));
  await bus.close();
  await peers.close();
}

function elsewhere(placed: string, module: string, own: string): string {
  if (placed !== own) return placed;
  throw new StartError(
    `the placement of ${module}, ${placed}, is this process itself; write in-process, or the address of another`,
  );
}

function belongsHere({ only, placements }: Topology, module: string): boolean {
  return only ? only.includes(module) : placements.get(module)!.kind === 'in-process';
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
  { directory, address }: Connections,
  names: readonly string[],
): void {
  for (const name of names) {
    const placement = placements.get(name)!;
    if (directory.of(name).state === 'here') continue;
    if (placement.kind === 'address') directory.there(name, elsewhere(placement.address, name, address));
    else if (only) directory.there(name, homeAddress);
  }
}
