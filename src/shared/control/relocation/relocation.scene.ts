import { readFileSync } from 'node:fs';
import { adapters } from '../../../../test/harness/adapters.ts';
import { topologyFile } from '../../../../test/harness/topology-file.ts';
import { contract } from '../../kernel/contract/index.ts';
import { silentLog } from '../../kernel/telemetry/index.ts';
import { describeContract } from '../releases/index.ts';
import type { Handover, ModuleProcess } from '../supervisor/index.ts';
import { type Placement, readPlacement, type ServicePlacement } from '../topology/index.ts';
import type { Progress } from './journal.ts';
import { Relocations } from './relocations.ts';

const shop = contract('shop', { operations: {} });

/** The lease of the module's leadership, in the data that all replicas share. */
interface Lease {
  holder?: FakeReplica | undefined;
}

/** A replica of the module that only remembers its duties. */
class FakeReplica {
  /** Whether it takes part in the work that replicas share. */
  works = true;
  private readonly lease: Lease;

  constructor(lease: Lease) {
    this.lease = lease;
  }

  get leads(): boolean {
    return this.lease.holder === this;
  }

  readonly handover: Handover = {
    giveUpLead: async () => {
      const led = this.leads;
      if (led) this.lease.holder = undefined;
      const endedAt = led ? 1_000 : 0;
      return { led, timers: led ? ['daily'] : [], upTo: 0, pending: 0, held: 0, endedAt };
    },
    takeLead: async () => {
      this.lease.holder ??= this;
      const { leads } = this;
      return { leads, timers: leads ? ['daily'] : [], pending: 0, held: 0, begunAt: 1_005 };
    },
    finishSagas: async () => ({ underWay: 0, ended: 0, handedOver: [] }),
    countSagas: async () => 0,
    stuckSagas: async () => 0,
    leave: async () => this.leave(),
    takeUp: async () => {
      this.works = true;
      this.lease.holder ??= this;
    },
  };

  leave(): void {
    this.works = false;
    if (this.leads) this.lease.holder = undefined;
  }
}

/** A module process that is a fake replica, and answers as one. */
class FakeProcess extends FakeReplica {
  pid: number;
  ready: object | undefined;

  constructor(lease: Lease, pid: number) {
    super(lease);
    this.pid = pid;
    this.ready = { address: `http://p${pid}`, reachedAt: `http://p${pid}`, contract: describeContract(shop) };
  }

  async ask(what: string, given: unknown): Promise<unknown> {
    if (!this.ready) throw new Error('the process of shop does not run');
    const { handover } = this;
    const answers: Record<string, () => unknown> = {
      idle: () => 0,
      drained: () => undefined,
      'give-up-lead': () => handover.giveUpLead(),
      'take-lead': () => handover.takeLead(0),
      'finish-sagas': () => handover.finishSagas(0),
      'count-sagas': () => handover.countSagas(given as string[]),
      'stuck-sagas': () => handover.stuckSagas(),
      leave: () => handover.leave(),
      'take-up': () => handover.takeUp(),
    };
    return answers[what]?.();
  }

  end(): void {
    this.leave();
    this.ready = undefined;
  }
}

/** Everything that a move changes. */
interface SystemState {
  /** The placement in the topology file. */
  readonly written: string | undefined;
  readonly placement: Placement | undefined;
  /** Numbers of replicas: in the home process, and in module processes. */
  readonly here: number;
  readonly processes: number;
  /** Which replicas callers reach. */
  readonly served: readonly number[];
  readonly duties: readonly { leads: boolean; works: boolean }[];
  /** Number of processes whose end is watched for. */
  readonly watched: number;
}

/** A home process, and module processes, that move a module without any real process, call or delay. */
export class FakeSystem {
  readonly file: string;
  /** What callers of the module reach now. */
  served: readonly FakeReplica[];
  readonly relocations: Relocations;
  readonly #placements: Map<string, Placement>;
  readonly #lease: Lease = {};
  readonly #open = new Map<string, object>();
  readonly #processes = new Set<FakeProcess>();
  readonly #listeners = new Map<FakeProcess, (how: string) => void>();
  /** The processes of the first placement, and those of the last move. */
  readonly #old: readonly FakeProcess[];
  #new: readonly FakeProcess[] = [];
  #pid = 0;

  constructor(placement: string) {
    this.file = topologyFile(`modules:\n  shop: ${placement}\n`);
    const at = placementOf(placement);
    this.#placements = new Map([['shop', at]]);
    this.#old = at.kind === 'service' ? this.#spawn(at.instances) : [];
    this.served = at.kind === 'service' ? this.#old : [this.#add()];
    this.#lease.holder = this.served[0];
    this.relocations = new Relocations(this.#dependencies());
    this.relocations.begin();
  }

  /** Moves the module. Calls `onProgress` before and after each step. */
  move(placement: string, onProgress: (progress: Progress) => void = () => {}): Promise<{ to: string }> {
    const order = { module: 'shop', placement: placementOf(placement), again: false, forNow: false };
    return this.relocations.move({ ...order, by: 'ann' }, onProgress);
  }

  /** Kills a process that the move has started. */
  killNew(): void {
    const [process] = this.#new;
    process?.end();
    this.#ended(process);
  }

  /** Kills an old process that is to go. It starts again under another id, with all its duties. */
  killOld(): void {
    const process = this.#old.at(-1);
    if (process) process.pid = ++this.#pid;
    void process?.handover.takeUp();
    this.#ended(process);
  }

  #ended(process: FakeProcess | undefined): void {
    if (process) this.#listeners.get(process)?.('SIGKILL');
  }

  get state(): SystemState {
    const replicas = [...this.#processes, ...this.#replicasHere()];
    return {
      written: readFileSync(this.file, 'utf8').trim().split(': ').at(-1),
      placement: this.#placements.get('shop'),
      here: this.#open.size,
      processes: this.#processes.size,
      served: this.served.map((replica) => replicas.indexOf(replica as FakeProcess)),
      duties: replicas.map(({ leads, works }) => ({ leads, works })),
      watched: this.#listeners.size,
    };
  }

  #replicasHere(): FakeReplica[] {
    return [...this.#open.values()].map((open) => (open as { replica: FakeReplica }).replica);
  }

  #add(): FakeReplica {
    const replica = new FakeReplica(this.#lease);
    const inFlight = { count: 0, idle: async () => {} };
    this.#open.set('shop', { replica, handover: replica.handover, inFlight, start: async () => {} });
    return replica;
  }

  #spawn(count: number): FakeProcess[] {
    const spawned = Array.from({ length: count }, () => new FakeProcess(this.#lease, ++this.#pid));
    for (const process of spawned) this.#processes.add(process);
    return spawned;
  }

  #dependencies(): ConstructorParameters<typeof Relocations>[0] {
    const system = this;
    const here = {
      open: this.#open,
      add: async () => {
        system.#add();
        return system.#open.get('shop');
      },
      serve: () => {
        system.served = system.#replicasHere();
      },
      remove: async () => {
        for (const replica of system.#replicasHere()) replica.leave();
        system.#open.clear();
      },
    };
    const moduleProcesses = {
      get all() {
        return [...system.#processes];
      },
      of: () => system.served.filter((replica) => replica instanceof FakeProcess),
      spawn: (_: string, __: ServicePlacement, count: number) => {
        system.#new = system.#spawn(count);
        return system.#new;
      },
      ready: async () => {},
      serve: (_: string, processes: readonly FakeProcess[]) => {
        if (processes.length > 0) system.served = processes;
      },
      terminate: async (processes: readonly FakeProcess[]) => {
        for (const process of processes) {
          process.end();
          system.#processes.delete(process);
        }
      },
      onEnd: (process: ModuleProcess & FakeProcess, listener: (how: string) => void) => {
        system.#listeners.set(process, listener);
        return () => system.#listeners.delete(process);
      },
    };
    // Each look finds more calls, so that no warm-up waits for them.
    let counted = 0;
    const split = {
      candidate: {
        get counted() {
          counted += 100;
          return counted;
        },
      },
    };
    const directory = {
      answers: async () => true,
      probe: () => ({ warm: async () => {}, close: async () => {} }),
      divert: () => split,
      endDetour: () => {},
      drained: async () => {},
    };
    const settings = { DATA_DIR: '.', BUS: 'mitt', TOPOLOGY: this.file };
    return {
      topology: { settings, saidByEnvironment: () => false },
      definitions: [{ contract: shop, migrations: [] }],
      placements: this.#placements,
      here,
      moduleProcesses,
      directory,
      adapters,
      trials: undefined,
      log: silentLog,
    } as unknown as ConstructorParameters<typeof Relocations>[0];
  }
}

function placementOf(text: string): Placement {
  const read = readPlacement(text, adapters);
  if (typeof read === 'string') throw new Error(read);
  return read;
}
