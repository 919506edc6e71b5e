import { join } from 'node:path';
import { background } from '../../kernel/context/index.ts';
import { DatabaseRecords } from '../../kernel/database-engine/index.ts';
import { messageOf, StartError } from '../../kernel/errors/index.ts';
import type { ModuleDefinition } from '../../kernel/module/index.ts';
import { recordBus } from '../bus/index.ts';
import type { Conditions } from '../gateway/index.ts';
import { AccessControl, Authority, Operators, operatorToken } from '../identity/index.ts';
import type { ControlPart } from '../parts/index.ts';
import { describeContract } from '../releases/index.ts';
import { Relocations } from '../relocation/index.ts';
import {
  answersFor,
  callsPausedVariable,
  joinParent,
  type ModuleHere,
  ModuleProcesses,
  ModulesHere,
} from '../supervisor/index.ts';
import { type Placement, refuseMissingAdapters, type Topology } from '../topology/index.ts';
import { createAdminRoutes } from './admin-routes.ts';
import { conditionsOf, type WhichModules, whichAreAway } from './conditions.ts';
import { type Connections, connect } from './connections.ts';
import { Databases } from './databases.ts';
import { createInternalService } from './internal-service.ts';
import { type Listeners, openListeners } from './listeners.ts';
import { logLevelsPart, sharedLevels } from './logs.ts';
import { LoopDelay } from './loop-delay.ts';
import { resolveUpstreams } from './upstreams.ts';
import { WriteProbes } from './write-probes.ts';

/** The log names a part that takes longer than this to close. */
const slowMs = 3_000;

/** A process of the system: the modules that run here, and the routes to all others. */
export interface Host extends Readonly<Connections> {
  readonly topology: Topology;
  /** The current placement of each module: from the topology at the start, updated by each relocation. */
  readonly placements: ReadonlyMap<string, Placement>;
  readonly definitions: readonly ModuleDefinition[];
  readonly open: ReadonlyMap<string, ModuleHere>;
  /** Who has which role. The gateway adds the roles that endpoints ask for. */
  readonly access: AccessControl;
  readonly moduleProcesses: ModuleProcesses;
  /** The address of this process's own internal listener. */
  readonly address: string;
  /** Returns the modules that cannot be reached now. */
  readonly away: WhichModules;
  /** Returns what modules lack now. */
  readonly conditions: () => Promise<Conditions>;
  /** How late the event loop of this process turns. */
  readonly loopDelay: LoopDelay;
  /** Whether this process is about to stop. */
  readonly stopping: boolean;
  /** Announces the stop to readiness probes and serves as before; other processes call elsewhere if they can. */
  announceStop(): void;
  /** Answers every caller that waits for a saga with its current state, here and in the module processes. */
  drain(): void;
  /** Finishes the work in flight, stops the module processes, and closes the data. */
  close(): Promise<void>;
}

/**
 * Opens the modules that belong in this process and connects them. Only this start accepts the data of the `accepted` modules as it
 * is. Throws a `StartError` when something prevents the start.
 */
export async function openHost(
  topology: Topology,
  definitions: readonly ModuleDefinition[],
  control: readonly ControlPart[],
  accepted: readonly string[] = [],
): Promise<Host> {
  const records = recordsOf(topology, accepted);
  try {
    return await openOn(records, topology, definitions, control, accepted);
  } catch (error) {
    records.withdraw();
    throw error;
  }
}

const homeIsAway =
  'the home process does not answer there: start it, and until then some modules may not be found; if it runs elsewhere, set HOME_ADDRESS';

async function openOn(
  records: DatabaseRecords,
  topology: Topology,
  definitions: readonly ModuleDefinition[],
  control: readonly ControlPart[],
  accepted: readonly string[],
): Promise<Host> {
  const { settings, adapters, only } = topology;
  refuseMissingAdapters(topology.placements, adapters);
  const token = only ? undefined : operatorToken(settings.DATA_DIR, settings.OPERATOR_TOKEN);
  const connections = await connect(topology, definitions, control);
  const { directory, identity, logs, log, openControl } = connections;
  if (token !== undefined) logs.hide(token);
  const shared = new Map([...openControl.shared, [logLevelsPart, sharedLevels(logs)]]);
  const authority = identity instanceof Authority ? identity : undefined;
  if (!only) recordBus(settings, log);
  const names = definitions.map(({ contract }) => contract.name);
  const placements = new Map(topology.placements);
  if (accepted.length > 0)
    log.warn({ modules: accepted }, 'the data of modules is accepted as it is, whatever was lost');
  const here = new ModulesHere(topology, definitions, { ...connections, hooks: openControl.hooks }, records);
  const { open } = here;
  for (const name of names) {
    if (belongsHere(topology, name)) await here.add(name);
    else if (!only && placements.get(name)?.kind === 'service') connections.engine.check(name, records);
  }
  if (!only) records.setSystem(records.system ?? records.newSystem()!);
  const databases = new Databases({ ...connections, topology, placements, definitions, records, open, accepted });
  const wasIntroduced = await databases.introduce();
  const moduleProcesses = new ModuleProcesses(
    ...([topology, directory, shared, authority, log, definitions, openControl.finalStates] as const),
  );
  const relocations = new Relocations({
    topology,
    definitions,
    placements,
    here,
    moduleProcesses,
    directory,
    adapters,
    trials: openControl.trials,
    log,
  });
  const away = whichAreAway(names, directory);
  const conditions = conditionsOf(names, away, connections.calls, moduleProcesses);
  const loopDelay = new LoopDelay();
  const base = {
    ...connections,
    topology,
    placements,
    definitions,
    open,
    access: new AccessControl(join(settings.DATA_DIR, 'keys')),
    moduleProcesses,
    away,
    conditions,
    loopDelay,
  };
  const state = { started: false, stopping: false };
  const operators = authority && token !== undefined ? new Operators(authority, token) : undefined;
  const adminRoutes = createAdminRoutes({ ...base, operators, relocations, state });
  const { serve, serveHere } = createInternalService({
    ...{ ...connections, definitions, here, adminRoutes, databases, state },
    home: topology.only === undefined,
    slowReaderMs: settings.SLOW_READER_TIMEOUT_MS,
    writeProbes: new WriteProbes(settings.DATA_DIR, log),
  });
  here.serveBy(serveHere);
  for (const name of open.keys()) here.serve(name);
  const listeners = await openListeners({ ...connections, topology, definitions, open, serve, adminRoutes });

  const throughHome = resolveUpstreams(topology, connections, listeners, names);
  // A home process that started meanwhile missed the first introduction and hears this one. If it starts later, it asks by itself.
  if (!wasIntroduced && !(await databases.introduce())) log.warn({ homeAddress: topology.homeAddress }, homeIsAway);
  await databases.refuseOthers();
  directory.onReachable((module) => {
    for (const each of open.values()) each.wake(module);
  });
  const answer = answersFor(only ?? [], here, directory, listeners);
  const parent = joinParent({
    homeAddress: topology.homeAddress,
    shared,
    log,
    open,
    throughHome,
    answer,
  });
  await moduleProcesses.start(listeners.address);
  for (const each of open.values()) await each.start();
  relocations.begin();
  if (!topology.saidByEnvironment(callsPausedVariable)) await listeners.fetchCalls();
  parent.ready({
    address: listeners.address,
    reachedAt: listeners.reachedAt,
    contract: ownContract(definitions, only),
  });
  state.started = true;
  return running(base, { connections, relocations, listeners, databases, state, parent });
}

interface Running {
  readonly connections: Connections;
  readonly relocations: Relocations;
  readonly listeners: Listeners;
  readonly databases: Databases;
  readonly state: { stopping: boolean };
  readonly parent: ReturnType<typeof joinParent>;
}

type HostBase = Omit<Host, 'address' | 'stopping' | 'announceStop' | 'drain' | 'close'>;

/** Reads the data folder's records of its databases, and accepts the data of each `accepted` module. Throws for an unknown module. */
function recordsOf({ settings, only, placements }: Topology, accepted: readonly string[]): DatabaseRecords {
  const records = new DatabaseRecords(settings.DATA_DIR, !only);
  const unknown = accepted.find((module) => !placements.has(module));
  if (unknown !== undefined)
    throw new StartError(
      `--accept-loss: there is no module "${unknown}"; there are ${[...placements.keys()].join(', ')}`,
    );
  for (const module of accepted) records.accept(module);
  return records;
}

function running(base: HostBase, { connections, relocations, listeners, databases, state, parent }: Running): Host {
  const { open, moduleProcesses, topology } = base;
  return {
    ...base,
    address: listeners.address,
    get stopping() {
      return state.stopping;
    },
    announceStop() {
      state.stopping = true;
      moduleProcesses.announceStop();
      // No other process can serve in place of the home process, so its callers stay.
      if (topology.only) listeners.leave();
    },
    drain() {
      state.stopping = true;
      relocations.stop();
      for (const each of open.values()) each.drain();
      moduleProcesses.drain();
      listeners.leave();
    },
    async close() {
      databases.close();
      await relocations.stop();
      await closeAll(connections, open, moduleProcesses, listeners, parent);
    },
  };
}

/** Describes the contract of the module that this process runs alone; its parent decides by it whether it may replace another. */
function ownContract(definitions: readonly ModuleDefinition[], only: readonly string[] = []): unknown {
  const own = definitions.find(({ contract }) => contract.name === only[0]);
  return own ? describeContract(own.contract) : null;
}

/**
 * Stops new work, then waits for the work in flight, then closes the data: each part may need the later parts. A failure does not
 * keep other parts from closing; the promise rejects with all failures at the end. Logs each part that takes long.
 */
async function closeAll(
  { bus, directory, openControl, log }: Connections,
  open: ReadonlyMap<string, ModuleHere>,
  moduleProcesses: ModuleProcesses,
  listeners: Listeners,
  parent: Running['parent'],
): Promise<void> {
  const failures: unknown[] = [];
  const ended = async (what: string, closing: Promise<void>) => {
    const slow = background.setTimeout(() => log.warn({ what }, 'closing takes long'), slowMs);
    await closing.catch((error) => failures.push(error));
    clearTimeout(slow);
  };
  const modules = (end: 'stop' | 'close') =>
    Promise.all([...open].map(([name, module]) => ended(`${end} module ${name}`, module[end]())));
  await modules('stop');
  await ended('processes of modules', moduleProcesses.stop());
  await ended('listeners', listeners.close());
  await modules('close');
  await ended('bus', bus.close());
  await ended('directory', directory.close());
  await ended('the final states', parent.sendFinalStates(openControl.finalStates));
  await ended('parts of control', openControl.close());
  if (failures.length > 0) throw new Error(`not closed in order: ${failures.map(messageOf).join('; ')}`);
}

function belongsHere({ only, placements }: Topology, module: string): boolean {
  return only ? only.includes(module) : placements.get(module)!.kind === 'in-process';
}
