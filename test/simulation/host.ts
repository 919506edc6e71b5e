import { AsyncLocalStorage } from 'node:async_hooks';
import { createCall } from '../../src/shared/kernel/calls/index.ts';
import { background, type Clock } from '../../src/shared/kernel/context/index.ts';
import type { Operation } from '../../src/shared/kernel/contract/index.ts';
import type { Migration } from '../../src/shared/kernel/database/index.ts';
import { type ModuleDefinition, type OpenModule, openModule } from '../../src/shared/kernel/module/index.ts';
import { busOf } from './bus.ts';
import { openOn } from './database.ts';
import { sufferingOf } from './suffering.ts';
import type { World } from './world.ts';

/** A process from its start to its crash. What is left of it in memory runs on for a moment, and must change nothing. */
export class Life {
  alive = true;
  /** Whether other processes reach it. */
  reachable = false;
  /** Calls and events it is about to answer. */
  serving = 0;
  readonly open = new Map<string, OpenModule>();
  /** How often it began to lead a module. */
  readonly begins = new Map<string, number>();
  /** Whoever waits for an answer of this process, to be told when it crashes. */
  readonly waiting = new Set<() => void>();
  /** What it would have done while it was frozen. */
  #parked: (() => void)[] | undefined;
  readonly host: {
    readonly names: readonly string[];
    readonly clockByMs?: number;
    readonly migration?: unknown;
    crash?(when: string): void;
  };
  /** No two lives have the same. */
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

  /** Does `task` now; when it is frozen, once it goes on; when it is dead, never. */
  run(task: () => void): void {
    if (!this.alive) return;
    if (this.#parked) this.#parked.push(() => this.run(task));
    else task();
  }

  freeze(): void {
    this.#parked ??= [];
  }

  /** Goes on with what it has missed, unless it forgets that. */
  thaw(forgets: boolean): void {
    const missed = this.#parked ?? [];
    this.#parked = undefined;
    if (!forgets) for (const task of missed) task();
  }
}

/** A process of the system, life after life: the modules that run in it, and crash together. */
export class Host {
  life: Life | undefined;
  /** How far the clock of its machine is off. */
  clockByMs = 0;

  /** Called when it is about to serve, or with what kept it from that. */
  onStart: ((error: unknown) => void) | undefined;
  /** A migration that the release it is to run brings, by module. */
  migration: { readonly module: string; readonly migration: Migration } | undefined;
  private readonly before: readonly ModuleDefinition[];
  private readonly world: World;

  constructor(before: readonly ModuleDefinition[], world: World) {
    this.before = before;
    this.world = world;
  }

  /** What it runs. */
  get definitions(): ModuleDefinition[] {
    const { module, migration } = this.migration ?? {};
    return this.before.map((each) =>
      each.contract.name === module ? { ...each, migrations: [...each.migrations, migration!] } : each,
    );
  }

  get names(): string[] {
    return this.before.map(({ contract }) => contract.name);
  }

  /** Opens the modules on what their disks hold, and lets them go on. */
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
      const suffering = sufferingOf(definition, life, this.world);
      life.open.set(definition.contract.name, await openModule(suffering, this.#surroundings(life, definition)));
    }
  }

  /** Ends this life where it is. The next one begins after a while. */
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

  /** Stops where no unit of work is open, for `forMs`. */
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
      life.thaw(world.flaw === 'forgets what it had to do while it was frozen');
    });
  }

  /** The end of a history is nobody's crash: what is left in memory is just let go. */
  end(): void {
    if (this.life) this.life.alive = false;
    this.life = undefined;
  }

  #surroundings(life: Life, { contract, settings }: ModuleDefinition) {
    const { world } = this;
    return {
      openDatabase: openOn(world.disk(contract.name), life, world),
      bus: busOf(life, world),
      clock: clockOf(life, world),
      log: world.logOf(contract.name),
      process: { host: 'simulated', pid: life.pid, runs: ({ pid }: { pid: number }) => world.runs(pid) },
      calls: (operation: Operation, caller: string) =>
        createCall(operation, caller, () => world.network.transport(life)),
      settings: settings?.parse(world.plan.settings) ?? {},
    };
  }
}

/** The limit of a handler in src/shared/kernel/events/subscribed.ts, which is known here by how long it takes. */
const handlerLimitMs = 4_000;

/** The world's time as the process has it, as long as it lives. What a timer does belongs to no request, whoever set it. */
function clockOf(life: Life, { scheduler, flaw }: World): Clock {
  const now = () => Math.floor(scheduler.time + (life.host.clockByMs ?? 0));
  const misses = (task: () => void, delayMs: number, dueAt: number) =>
    (flaw === 'misses its appointments when the clock is set back' && now() < dueAt) ||
    (flaw === 'waits for a handler for ever' && delayMs === handlerLimitMs) ||
    // The timer of src/shared/kernel/module/in-steps.ts, which is known here by its name.
    (flaw === 'waits for a command in steps for ever' && task.name === 'forget');
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
