import { statSync } from 'node:fs';
import { background } from '../../../kernel/context/index.ts';
import { StartError } from '../../../kernel/errors/index.ts';
import type { ModuleDefinition } from '../../../kernel/module/index.ts';
import type { Log } from '../../../kernel/telemetry/index.ts';
import type { Authority, PublicJwk } from '../../identity/index.ts';
import { type Directory, LiveAddresses } from '../../routing/index.ts';
import {
  environmentName,
  placementText,
  portsFor,
  type ServicePlacement,
  type Topology,
} from '../../topology/index.ts';
import { ModuleProcess, type ProcessEnd } from './module-process.ts';
import { type SharedStates, takeOver } from './shared-state.ts';

const readyWithinMs = 20_000;
/** After this many failed starts of a process, the system goes on without it. */
const hopelessAfter = 4;
/** Maximum time that a process may take to end: when it leaves service, and when the whole system stops. */
const terminateWithinMs = 10_000;
const stopWithinMs = 3_000;

interface Service {
  /** The processes that receive calls while they are ready. */
  processes: readonly ModuleProcess[];
  readonly reachedAt: LiveAddresses;
}

/** The module processes that the home process has started. */
export class ModuleProcesses {
  readonly #services = new Map<string, Service>();
  /** All processes, including processes that receive no calls yet, or no calls any more. */
  readonly #processes = new Set<ModuleProcess>();
  readonly #listeners = new Map<ModuleProcess, (how?: string) => void>();
  readonly #ends = new Map<string, Record<ProcessEnd['reason'], number>>();
  /** The names of each module's own settings. */
  readonly #settings: ReadonlyMap<string, readonly string[]>;
  #homeAddress = '';
  private readonly topology: Topology;
  private readonly directory: Directory;
  private readonly shared: SharedStates;
  /** Set only in the home process, which alone starts module processes. */
  private readonly authority: Authority | undefined;
  private readonly log: Log;
  private readonly finalStates: SharedStates;

  constructor(
    topology: Topology,
    directory: Directory,
    shared: SharedStates,
    authority: Authority | undefined,
    log: Log,
    definitions: readonly ModuleDefinition[] = [],
    finalStates: SharedStates = new Map(),
  ) {
    this.topology = topology;
    this.directory = directory;
    this.shared = shared;
    this.authority = authority;
    this.log = log;
    this.finalStates = finalStates;
    this.#settings = new Map(definitions.map((each) => [each.contract.name, Object.keys(each.settings?.shape ?? {})]));
    authority?.onChange(() => {
      for (const process of this.#processes) void process.enrol();
    });
  }

  /** Returns the processes that receive a module's calls. */
  of(module: string): readonly ModuleProcess[] {
    return this.#services.get(module)?.processes ?? [];
  }

  get all(): readonly ModuleProcess[] {
    return [...this.#processes];
  }

  /** How often processes of each module have ended, by reason. Has every module whose process has been started. */
  get ends(): ReadonlyMap<string, Readonly<Record<ProcessEnd['reason'], number>>> {
    return this.#ends;
  }

  /** Starts all processes in parallel. Waits for each until it is ready, has ended 4 times, or 20 s are over. */
  async start(homeAddress: string): Promise<void> {
    this.#homeAddress = homeAddress;
    if (this.topology.only) return;
    const started = [...this.topology.placements].flatMap(([module, placement]) => {
      if (placement.kind !== 'service') return [];
      refuseMissing(module, placement);
      const processes = Array.from({ length: placement.instances }, () => this.#make(module, placement));
      this.serve(module, processes);
      return processes.map((process) => this.#readyOrHopeless(module, process));
    });
    await Promise.all(started);
  }

  /**
   * Starts `count` processes of a module, which receive no calls yet. With `callsPaused`, they also fetch no calls from the module's
   * queue in the broker. They run until `terminate`, ready or not.
   */
  spawn(module: string, placement: ServicePlacement, count: number, callsPaused = false): ModuleProcess[] {
    return Array.from({ length: count }, () => this.#make(module, placement, callsPaused));
  }

  /** Resolves when all these processes are ready. Rejects with the reason when one ends first, or is not ready within 20 s. */
  async ready(module: string, processes: readonly ModuleProcess[]): Promise<void> {
    await Promise.all(processes.map((process) => this.#ready(module, process)));
  }

  /** Routes the module's calls to these processes only, from now on. With none, the module has another route. */
  serve(module: string, processes: readonly ModuleProcess[]): void {
    const service = this.#services.get(module) ?? { processes: [], reachedAt: new LiveAddresses() };
    const known = this.#services.has(module);
    service.processes = processes;
    if (processes.length === 0) this.#services.delete(module);
    else this.#services.set(module, service);
    this.#tellAddresses(module);
    if (!known && processes.length > 0) this.directory.there(module, service.reachedAt);
  }

  /** Lets the processes finish their work in flight, and ends them. */
  async terminate(processes: readonly ModuleProcess[], withinMs = terminateWithinMs): Promise<void> {
    await Promise.all(processes.map((process) => process.stop(withinMs)));
    for (const process of processes) this.#processes.delete(process);
  }

  /** Calls `listener` with the reason whenever `process` ends. Returns a function that removes the listener. */
  onEnd(process: ModuleProcess, listener: (how: string) => void): () => void {
    this.#listeners.set(process, (how) => how !== undefined && listener(how));
    return () => this.#listeners.delete(process);
  }

  /** Announces the system's stop. The module processes then ignore signals and serve until `drain` and `stop`. */
  announceStop(): void {
    for (const process of this.#processes) process.send({ type: 'stopping' });
  }

  /** Begins the system's stop: callers of sagas wait only for the step in flight. */
  drain(): void {
    for (const process of this.#processes) {
      process.expectEnd();
      process.send({ type: 'drain' });
    }
  }

  async stop(): Promise<void> {
    await this.terminate(this.all, stopWithinMs);
  }

  /** Sends the state that a part of control has in this process to every module process. */
  share(part: string): void {
    for (const process of this.#processes) this.#share(part, process);
  }

  #make(module: string, placement: ServicePlacement, callsPaused = false): ModuleProcess {
    const { artifact: program = process.argv[1]! } = placement;
    const environment = {
      ...environmentOf(module, this.#settings),
      ...portsFor(placement, this.topology.adapters),
      INTERNAL_HOST: '127.0.0.1',
      HOME_ADDRESS: this.#homeAddress,
      // The placement of this process, which overrides the topology file.
      [`MODULE_${environmentName(module)}`]: placementText(placement),
    };
    const ends = this.#ends.get(module) ?? { planned: 0, crash: 0 };
    this.#ends.set(module, ends);
    const onChange = (end?: ProcessEnd) => {
      if (end) ends[end.reason] += 1;
      this.#changed(module, service, end?.how);
    };
    const enrol = (publicKey: PublicJwk) => this.authority!.enrol(publicKey, [module]);
    const onFinalState = (part: string, state: unknown) => takeOver(this.finalStates, part, state, this.log);
    const parts = { module, program, environment, callsPaused, enrol, log: this.log, onFinalState, onChange };
    const service = new ModuleProcess(parts);
    this.#processes.add(service);
    service.start();
    return service;
  }

  #changed(module: string, process: ModuleProcess, how: string | undefined): void {
    if (how === undefined) {
      if (process.ends > 0)
        this.log.warn({ module, address: process.ready?.reachedAt }, 'the process of a module is ready again');
      process.send({ type: 'addresses', addresses: this.#addresses() });
      for (const part of this.shared.keys()) this.#share(part, process);
    }
    this.#tellAddresses(module);
    this.#listeners.get(process)?.(how);
  }

  /** Waits for a process, but not for one that cannot start at all; its restarts continue meanwhile. */
  async #readyOrHopeless(module: string, process: ModuleProcess): Promise<void> {
    await this.#ready(module, process, hopelessAfter).catch(({ message }: Error) => {
      this.log.error({ module, why: message }, 'a module is not ready yet; going on without it');
    });
  }

  #ready(module: string, process: ModuleProcess, tries = 1): Promise<void> {
    return new Promise<void>((resolve, reject) => {
      const fail = (why: string) => reject(new Error(`a process of ${module} ${why}`));
      const late = background.setTimeout(() => fail(`was not ready within ${readyWithinMs / 1_000} s`), readyWithinMs);
      this.#listeners.set(process, (how) => {
        if (how !== undefined && process.ends < tries) return;
        clearTimeout(late);
        this.#listeners.delete(process);
        if (how === undefined) return resolve();
        if (tries === 1) process.expectEnd();
        fail(`ended before it was ready: ${how}; the last lines that it logged are in this process's log`);
      });
    });
  }

  #share(part: string, process: ModuleProcess): void {
    process.send({ type: 'shared', part, state: this.shared.get(part)?.current() });
  }

  /** Publishes the module's addresses here and to every module process, so that each calls the others directly. */
  #tellAddresses(module: string): void {
    const service = this.#services.get(module);
    service?.reachedAt.set(addressesOf(service));
    const addresses = this.#addresses();
    for (const process of this.#processes) process.send({ type: 'addresses', addresses });
  }

  #addresses(): Record<string, string[]> {
    return Object.fromEntries([...this.#services].map(([module, service]) => [module, addressesOf(service)]));
  }
}

/** Returns this environment without the secrets of the system and the operators, and without settings of other modules only. */
function environmentOf(module: string, settings: ReadonlyMap<string, readonly string[]>): NodeJS.ProcessEnv {
  const own = settings.get(module) ?? [];
  const foreign = new Set([...settings.values()].flat().filter((name) => !own.includes(name)));
  const secret = ['INTERNAL_KEY', 'INTERNAL_IDENTITY', 'OPERATOR_TOKEN', 'TRACES_TOKEN'];
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !foreign.has(name) && !secret.includes(name)),
  );
}

/** Throws a `StartError` when the artifact of the placement is not a file. */
function refuseMissing(module: string, { artifact }: ServicePlacement): void {
  if (artifact === undefined || statSync(artifact, { throwIfNoEntry: false })?.isFile()) return;
  throw new StartError(
    `the placement of ${module}: artifact ${artifact} is not a file; build it, or leave artifact out for the release of this process`,
  );
}

function addressesOf({ processes }: Service): string[] {
  return processes.flatMap(({ ready }) => ready?.reachedAt ?? []);
}
