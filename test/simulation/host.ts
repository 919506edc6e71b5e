import { AsyncLocalStorage } from 'node:async_hooks';
import { createCall } from '../../src/shared/kernel/calls/index.ts';
import { background, type Clock } from '../../src/shared/kernel/context/index.ts';
import type { Operation } from '../../src/shared/kernel/contract/index.ts';
import type { Migration } from '../../src/shared/kernel/database/index.ts';
import { type ModuleDefinition, type OpenModule, openModule } from '../../src/shared/kernel/module/index.ts';
import { busOf } from './bus.ts';
import { openOn } from './database.ts';
import { withFaults } from './faulty-module.ts';
import type { World } from './world.ts';

/** A process from its start to its crash. After the crash its leftover code runs on for a moment, and must change nothing. */
export class Life {
  alive = true;
  /** Whether other processes can reach this process. */
  reachable = false;
  /** Number of calls and events in flight. */
  serving = 0;
  readonly open = new Map<string, OpenModule>();
  /** Number of times that this process became leader of a module, by module. */
  readonly begins = new Map<string, number>();
  /** Callbacks of callers that wait for an answer. A crash of this process calls them. */
  readonly waiting = new Set<() => void>();
  /** Tasks that fell due during a freeze. */
  #parked: (() => void)[] | undefined;
  readonly host: {
    readonly names: readonly string[];
    readonly clockByMs?: number;
    readonly migration?: unknown;
    crash?(when: string): void;
  };
  /** Unique among all lives. */
  readonly pid: number;

  constructor(
    host: {
      readonly names: readonly string[];
      readonly clockByMs?: number;
      readonly migration?: unknown;
      crash?(when: string): void;
    },
    pid = 0,
  ) {
    this.host = host;
    this.pid = pid;
  }

  get frozen(): boolean {
    return this.#parked !== undefined;
  }

  /** Runs `task` now. A frozen process runs it after the freeze; a dead process never runs it. */
  run(task: () => void): void {
    if (!this.alive) return;
    if (this.#parked) this.#parked.push(() => this.run(task));
    else task();
  }

  freeze(): void {
    this.#parked ??= [];
  }

  /** Ends the freeze and runs the missed tasks, unless `forgets` is true. */
  thaw(forgets: boolean): void {
    const missed = this.#parked ?? [];
    this.#parked = undefined;
    if (!forgets) for (const task of missed) task();
  }
}

/** A process of the system through all its restarts. Its modules run together and crash together. */
export class Host {
  life: Life | undefined;
  /** Error of its machine's clock. */
  clockByMs = 0;

  /** Called when the process is about to serve, or with the error that prevented its start. */
  onStart: ((error: unknown) => void) | undefined;
  /** A migration of the next release, and its module. */
  migration: { readonly module: string; readonly migration: Migration } | undefined;
  private readonly before: readonly ModuleDefinition[];
  private readonly world: World;

  constructor(before: readonly ModuleDefinition[], world: World) {
    this.before = before;
    this.world = world;
  }

  /** The modules of the current release. */
  get definitions(): ModuleDefinition[] {
    const { module, migration } = this.migration ?? {};
    return this.before.map((each) =>
      each.contract.name === module ? { ...each, migrations: [...each.migrations, migration!] } : each,
    );
  }

  get names(): string[] {
    return this.before.map(({ contract }) => contract.name);
  }

  /** Opens the modules on their disks, and starts them. */
  async start(): Promise<void> {
    const life = this.world.begin(this);
    this.life = life;
    try {
      await this.#open(life);
    } catch (error) {
      if (!this.onStart) throw error;
      if (life.alive) this.onStart(error);
      return;
    }
    if (!life.alive) return;
    this.onStart?.(undefined);
    life.reachable = true;
    for (const each of life.open.values()) await each.start();
    this.world.ready(this);
  }

  async #open(life: Life): Promise<void> {
    for (const definition of this.definitions) {
      const suffering = withFaults(definition, life, this.world);
      life.open.set(definition.contract.name, await openModule(suffering, this.#surroundings(life, definition)));
    }
  }

  /** Crashes the process at this point. It starts again after a while. */
  crash(when: string): void {
    const { life, world } = this;
    if (!life) return;
    life.alive = false;
    this.life = undefined;
    for (const name of this.names) world.disk(name).abandon(life);
    world.chronicle?.note(this.names, `crash ${when}`);
    for (const each of life.waiting) each();
    world.scheduler.after(world.random.between(10, 4_000), () => {
      world.chronicle?.note(this.names, 'starts again');
      world.watch(this.start());
    });
  }

  /** Freezes the process for `forMs`, as soon as it has no open unit of work. */
  freeze(forMs: number): void {
    const { life, world } = this;
    if (!life?.reachable || life.frozen) return;
    if (this.names.some((name) => world.disk(name).owner === life)) {
      world.scheduler.after(1, () => this.freeze(forMs));
      return;
    }
    world.chronicle?.note(this.names, 'freeze');
    life.freeze();
    world.scheduler.after(forMs, () => {
      if (life.alive) world.chronicle?.note(this.names, 'go on');
      life.thaw(world.flaw === 'forgets tasks that fell due while it was frozen');
    });
  }

  /** Ends the process with the history. This is not a crash: no caller is told, and the process does not start again. */
  end(): void {
    if (this.life) this.life.alive = false;
    this.life = undefined;
  }

  #surroundings(life: Life, { contract, settings }: ModuleDefinition) {
    const { world } = this;
    return {
      openDatabase: openOn(world.disk(contract.name), life, world),
      bus: busOf(life, world),
      brokers: [],
      clock: clockOf(life, world),
      log: world.logOf(contract.name),
      process: { host: 'simulated', pid: life.pid, runs: ({ pid }: { pid: number }) => world.runs(pid) },
      calls: (operation: Operation, caller: string) =>
        createCall(operation, caller, () => world.network.transport(life)),
      settings: settings?.parse(world.plan.settings) ?? {},
    };
  }
}

/** Time limit of a handler in src/shared/kernel/events/subscribed.ts. A flaw recognizes its timer by this delay. */
const handlerLimitMs = 4_000;

/** Returns the clock of a process: the world's time plus its error, while it lives. Timers run outside every request's context. */
function clockOf(life: Life, { scheduler, flaw }: World): Clock {
  const now = () => Math.floor(scheduler.time + (life.host.clockByMs ?? 0));
  const misses = (task: () => void, delayMs: number, dueAt: number) =>
    (flaw === 'misses its timers after the clock steps back' && now() < dueAt) ||
    (flaw === 'waits for a handler forever' && delayMs === handlerLimitMs) ||
    // The timer of src/shared/kernel/module/in-steps.ts, recognized by its function name.
    (flaw === 'waits for a command in steps forever' && task.name === 'forget');
  return {
    now,
    after(delayMs, task) {
      const begin = background.run(() => AsyncLocalStorage.bind(task));
      const dueAt = now() + Math.floor(delayMs);
      return scheduler.after(delayMs, () => {
        if (!misses(task, delayMs, dueAt)) life.run(begin);
      });
    },
  };
}
