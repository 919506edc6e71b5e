import type { Clock } from '../../src/shared/clock/index.ts';
import { background } from '../../src/shared/context/index.ts';
import type { Operation } from '../../src/shared/contract/index.ts';
import type { Receive } from '../../src/shared/events/bus.ts';
import { type ModuleDefinition, type OpenModule, openModule } from '../../src/shared/module/index.ts';
import { createCall } from '../../src/shared/transport/index.ts';
import { busOf } from './bus.ts';
import { openOn } from './database.ts';
import type { World } from './world.ts';

/** A process from its start to its crash. What is left of it in memory runs on for a moment, and must change nothing. */
export class Life {
  alive = true;
  /** Whether other processes reach it. */
  reachable = false;
  /** Calls and events it is about to answer. */
  serving = 0;
  readonly open = new Map<string, OpenModule>();
  readonly receivers = new Map<string, Receive>();
  /** Whoever waits for an answer of this process, to be told when it crashes. */
  readonly waiting = new Set<() => void>();

  constructor(
    readonly host: { readonly names: readonly string[] },
    /** No two lives have the same. */
    readonly pid = 0,
  ) {}
}

/** A process of the system, life after life: the modules that run in it, and crash together. */
export class Host {
  life: Life | undefined;

  constructor(
    readonly definitions: readonly ModuleDefinition[],
    private readonly world: World,
  ) {}

  get names(): string[] {
    return this.definitions.map(({ contract }) => contract.name);
  }

  /** Opens the modules on what their disks hold, and lets them go on. */
  async start(): Promise<void> {
    const life = this.world.begin(this);
    this.life = life;
    for (const definition of this.definitions) {
      life.open.set(definition.contract.name, await openModule(definition, this.#surroundings(life, definition)));
    }
    life.reachable = true;
    for (const each of life.open.values()) await each.start();
    this.world.ready(this);
  }

  /** Ends this life where it is. The next one begins after a while. */
  crash(when: string): void {
    const { life, world } = this;
    if (!life) return;
    life.alive = false;
    this.life = undefined;
    for (const name of this.names) if (world.disk(name).busy) world.disk(name).undo();
    world.chronicle?.note(this.names, `crash ${when}`);
    for (const each of life.waiting) each();
    world.scheduler.after(world.random.between(10, 4_000), () => {
      world.chronicle?.note(this.names, 'starts again');
      world.watch(this.start());
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
      dataDir: 'memory',
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

/** The world's time, as long as the process lives. */
function clockOf(life: Life, { scheduler }: World): Clock {
  return {
    now: () => Math.floor(scheduler.time),
    after(delayMs, task) {
      return scheduler.after(delayMs, () => {
        if (life.alive) background.run(task);
      });
    },
  };
}
