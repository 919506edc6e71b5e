import { statSync } from 'node:fs';
import { type Directory, LiveAddresses } from '../../../kernel/calls/index.ts';
import { background } from '../../../kernel/context/index.ts';
import { StartError } from '../../../kernel/errors/index.ts';
import type { Authority, PublicJwk } from '../../../kernel/identity/index.ts';
import type { ModuleDefinition } from '../../../kernel/module/index.ts';
import type { Log } from '../../../kernel/telemetry/index.ts';
import type { CallFaults } from '../../faults/index.ts';
import { environmentName, placementText, type ServicePlacement, type Topology } from '../../topology/index.ts';
import { ModuleProcess } from './module-process.ts';

const readyWithinMs = 20_000;
/** Starts that ended before one was ready, after which the others go on without it. */
const hopelessAfter = 4;
/** How long one that is taken out of service may take to end; and one that ends with the whole system. */
const lowerWithinMs = 10_000;
const stopWithinMs = 3_000;

interface Service {
  /** Those that are called while they are ready. */
  processes: readonly ModuleProcess[];
  readonly reachedAt: LiveAddresses;
}

/** The services the home process started: each a module in processes of its own. */
export class ModuleProcesses {
  readonly #services = new Map<string, Service>();
  /** All there are, also those that are not called yet, or not any more. */
  readonly #processes = new Set<ModuleProcess>();
  readonly #listeners = new Map<ModuleProcess, (how?: string) => void>();
  /** The names of each module's own settings. */
  readonly #settings: ReadonlyMap<string, readonly string[]>;
  #homeAddress = '';
  private readonly topology: Topology;
  private readonly directory: Directory;
  private readonly faults: CallFaults;
  /** Of the home process, which alone starts any. */
  private readonly authority: Authority | undefined;
  private readonly log: Log;

  constructor(
    topology: Topology,
    directory: Directory,
    faults: CallFaults,
    authority: Authority | undefined,
    log: Log,
    definitions: readonly ModuleDefinition[] = [],
  ) {
    this.topology = topology;
    this.directory = directory;
    this.faults = faults;
    this.authority = authority;
    this.log = log;
    this.#settings = new Map(definitions.map((each) => [each.contract.name, Object.keys(each.settings?.shape ?? {})]));
    authority?.onChange(() => {
      for (const process of this.#processes) void process.enrol();
    });
  }

  /** The processes that are called for a module. */
  of(module: string): readonly ModuleProcess[] {
    return this.#services.get(module)?.processes ?? [];
  }

  get all(): readonly ModuleProcess[] {
    return [...this.#processes];
  }

  /** Starts them side by side; resolves when all are ready, or with those that are after 20 s. */
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
   * Starts `count` processes of a module, which are not called yet: `heldBack`, they do not even fetch what the broker has for all of its
   * processes. They are there until they are lowered, ready or not.
   */
  spawn(module: string, placement: ServicePlacement, count: number, heldBack = false): ModuleProcess[] {
    return Array.from({ length: count }, () => this.#make(module, placement, heldBack));
  }

  /** Resolves when all of these are ready for the first time. Rejects, when one ends before it is or is not within 20 s, with how. */
  async ready(module: string, processes: readonly ModuleProcess[]): Promise<void> {
    await Promise.all(processes.map((process) => this.#ready(module, process)));
  }

  /** From now on these are called for the module, and no others; with none, it is reached some other way. */
  serve(module: string, processes: readonly ModuleProcess[]): void {
    const service = this.#services.get(module) ?? { processes: [], reachedAt: new LiveAddresses() };
    const known = this.#services.has(module);
    service.processes = processes;
    if (processes.length === 0) this.#services.delete(module);
    else this.#services.set(module, service);
    this.#tellAddresses(module);
    if (!known && processes.length > 0) this.directory.there(module, service.reachedAt);
  }

  /** Lets them finish what is in flight, and ends them. */
  async terminate(processes: readonly ModuleProcess[], withinMs = lowerWithinMs): Promise<void> {
    await Promise.all(processes.map((process) => process.stop(withinMs)));
    for (const process of processes) this.#processes.delete(process);
  }

  /** Calls `listener` with how `process` ended, whenever it does. Returns the way to listen no more. */
  onEnd(process: ModuleProcess, listener: (how: string) => void): () => void {
    this.#listeners.set(process, (how) => how !== undefined && listener(how));
    return () => this.#listeners.delete(process);
  }

  /** The system is about to stop: whatever signals the services get with it, they serve until they are told to stop. */
  announceStop(): void {
    for (const process of this.#processes) process.send({ type: 'stopping' });
  }

  /** The system is about to stop: nobody is to wait any longer than for the step in flight. */
  drain(): void {
    for (const process of this.#processes) {
      process.expectEnd();
      process.send({ type: 'drain' });
    }
  }

  async stop(): Promise<void> {
    await this.terminate(this.all, stopWithinMs);
  }

  /** Every service has the faults that are on here. */
  tellFaults(): void {
    for (const process of this.#processes) this.#tellFaultsTo(process);
  }

  #make(module: string, placement: ServicePlacement, heldBack = false): ModuleProcess {
    const { via, port = 0, artifact: program = process.argv[1]! } = placement;
    const environment = {
      ...environmentOf(module, this.#settings),
      INTERNAL_PORT: String(via === 'http' ? port : 0),
      GRPC_PORT: String(via === 'grpc' ? port : 0),
      INTERNAL_HOST: '127.0.0.1',
      HOME_ADDRESS: this.#homeAddress,
      // What it is to be here and now, whatever the file says.
      [`MODULE_${environmentName(module)}`]: placementText(placement),
    };
    const onChange = (how?: string) => this.#changed(module, service, how);
    const enrol = (publicKey: PublicJwk) => this.authority!.enrol(publicKey, [module]);
    const parts = { module, program, environment, heldBack, enrol, log: this.log, onChange };
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
      this.#tellFaultsTo(process);
    }
    this.#tellAddresses(module);
    this.#listeners.get(process)?.(how);
  }

  /** One that cannot start at all keeps nobody waiting; it is tried again meanwhile. */
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
        fail(`ended before it was ready: ${how}; its last words are in this process's log`);
      });
    });
  }

  #tellFaultsTo(process: ModuleProcess): void {
    process.send({ type: 'faults', faults: [...this.faults.list()] });
  }

  /** Where the module is called now: here, and in every service, so that each calls the others straight. */
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

/** What makes a process the system, or an operator, is not for those that it starts; nor are the settings of other modules alone. */
function environmentOf(module: string, settings: ReadonlyMap<string, readonly string[]>): NodeJS.ProcessEnv {
  const own = settings.get(module) ?? [];
  const foreign = new Set([...settings.values()].flat().filter((name) => !own.includes(name)));
  const secret = ['INTERNAL_KEY', 'INTERNAL_IDENTITY', 'OPERATOR_TOKEN'];
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !foreign.has(name) && !secret.includes(name)),
  );
}

/** Throws a `StartError` when there is no such release. */
function refuseMissing(module: string, { artifact }: ServicePlacement): void {
  if (artifact === undefined || statSync(artifact, { throwIfNoEntry: false })?.isFile()) return;
  throw new StartError(
    `the placement of ${module}: artifact ${artifact} is not a file; build it, or leave artifact out for the release of this process`,
  );
}

function addressesOf({ processes }: Service): string[] {
  return processes.flatMap(({ ready }) => ready?.reachedAt ?? []);
}
