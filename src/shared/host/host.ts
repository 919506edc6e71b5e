import { systemClock } from '../clock/index.ts';
import { killAt } from '../faults/index.ts';
import { operatorToken } from '../identity/index.ts';
import { type ModuleDefinition, type OpenModule, openModule } from '../module/index.ts';
import type { Topology } from '../topology/index.ts';
import { type Dispatch, kernelOperation, type Serve } from '../transport/index.ts';
import { type WhoIsAway, whoIsAway } from './away.ts';
import { recordBus } from './bus-record.ts';
import { type Connections, connect } from './connections.ts';
import { type Doors, openDoors } from './doors.ts';
import { createInternalService } from './internal-service.ts';
import { createOperations } from './operations.ts';
import { joinParent } from './parent.ts';
import { placeTheOthers } from './place.ts';
import { Services } from './services.ts';

/** A process of the system: the modules that run here, and the ways to all the others. */
export interface Host extends Readonly<Connections> {
  readonly topology: Topology;
  readonly definitions: readonly ModuleDefinition[];
  readonly open: ReadonlyMap<string, OpenModule>;
  readonly services: Services;
  /** Where this process's own internal listener is. */
  readonly address: string;
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
  const { directory, faults, log } = connections;
  if (!topology.only) recordBus(topology.settings, log);
  const names = definitions.map(({ contract }) => contract.name);
  const open = await openModules(topology, definitions, connections);
  const services = new Services(topology, directory, faults, log);
  const away = whoIsAway(names, directory);
  const token = operatorToken(topology.settings.DATA_DIR, topology.settings.OPERATOR_TOKEN);
  const operations = createOperations({ ...connections, topology, definitions, open, services, token, away });
  const serve = createInternalService({ ...connections, definitions, open, operations });
  for (const [name, { dispatch }] of open) directory.here(name, withKernel(name, dispatch, serve));
  const doors = await openDoors({ ...connections, topology, definitions, open, serve, operations });

  placeTheOthers(topology, connections, doors, names);
  directory.onReachable((module) => {
    for (const each of open.values()) each.wake(module);
  });
  const parent = joinParent({ directory, faults, names, open });
  await services.start(doors.address);
  for (const each of open.values()) await each.start();
  parent.ready(doors.address, doors.reachedAt);

  let draining = false;
  return {
    ...connections,
    topology,
    definitions,
    open,
    services,
    address: doors.address,
    away,
    get draining() {
      return draining;
    },
    drain() {
      draining = true;
      for (const each of open.values()) each.drain();
      services.drain();
      doors.leave();
    },
    close: () => closeAll(connections, open, services, doors),
  };
}

async function openModules(
  topology: Topology,
  definitions: readonly ModuleDefinition[],
  { bus, log, calls }: Connections,
): Promise<Map<string, OpenModule>> {
  const open = new Map<string, OpenModule>();
  const { DATA_DIR: dataDir } = topology.settings;
  for (const definition of definitions) {
    const { name } = definition.contract;
    if (!belongsHere(topology, name)) continue;
    const settings = topology.settingsOf(name);
    const module = await openModule(definition, { dataDir, bus, clock: systemClock, log, calls, settings });
    open.set(name, module);
  }
  return open;
}

/** What the kernel asks of a module, such as to take events, it may ask of one that runs here as well. */
function withKernel(name: string, dispatch: Dispatch, serve: Serve): Dispatch {
  return (operation, input, context) =>
    kernelOperation(operation) ? serve(name, operation, input, context) : dispatch(operation, input, context);
}

/** First nothing new begins, then what is under way ends, then the data is closed: each may need those after it. */
async function closeAll(
  { bus, directory }: Connections,
  open: ReadonlyMap<string, OpenModule>,
  services: Services,
  doors: Doors,
): Promise<void> {
  await Promise.all([...open.values()].map((each) => each.stop()));
  await services.stop();
  await doors.close();
  await Promise.all([...open.values()].map((each) => each.close()));
  await bus.close();
  await directory.close();
}

function belongsHere({ only, placements }: Topology, module: string): boolean {
  return only ? only.includes(module) : placements.get(module)!.kind === 'in-process';
}
