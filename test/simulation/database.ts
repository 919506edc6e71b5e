import { background, currentUnit, keepContext, type UnitMark } from '../../src/shared/context/index.ts';
import type { Database, Migration, ProcessLocks, Unit } from '../../src/shared/data/index.ts';
import type { Disk } from './disk.ts';
import type { Life } from './host.ts';
import type { World } from './world.ts';

interface Waiting {
  task: (unit: Unit) => Promise<unknown>;
  inContext: <R>(run: () => R) => R;
  resolve: (value: unknown) => void;
  reject: (error: unknown) => void;
}

/** The simulation knows by itself which of its processes live. */
export const noLocks: ProcessLocks = { hold() {}, isHeld: () => undefined, release() {}, forget() {} };

/** Opens a module's disk for one life of its process. */
export function openOn(disk: Disk, life: Life, world: World) {
  return (_module: string, migrations: Migration[]): Database => {
    disk.migrate(migrations);
    return new SimulatedDatabase(disk, life, world);
  };
}

/**
 * Units of work one after the other, each at a time of its own. The process may crash just before a commit, which takes the
 * unit back, or just after it, when nobody has been told. Of a process that is dead nothing begins, and nothing settles.
 */
class SimulatedDatabase implements Database {
  readonly dialect = 'sqlite';
  readonly db;
  readonly locks = noLocks;
  readonly #waiting: Waiting[] = [];
  #running = false;

  constructor(
    private readonly disk: Disk,
    private readonly life: Life,
    private readonly world: World,
  ) {
    this.db = disk.reader;
  }

  work<T>(task: (unit: Unit) => Promise<T>): Promise<T> {
    if (this.disk.busy && currentUnit.getStore()?.open) {
      return Promise.reject(new Error(`a unit of work of "${this.disk.module}" inside another`));
    }
    return new Promise<T>((resolve, reject) => {
      this.#waiting.push({ task, inContext: keepContext(), resolve: resolve as (value: unknown) => void, reject });
      if (!this.#running) this.#schedule();
    });
  }

  async close(): Promise<void> {}

  #schedule(): void {
    const next = this.#waiting.shift();
    this.#running = next !== undefined;
    if (!next) return;
    this.world.scheduler.after(this.world.random.between(0, 2), () => {
      if (this.life.alive) this.world.watch(this.#run(next));
    });
  }

  async #run({ task, inContext, resolve, reject }: Waiting): Promise<void> {
    const { disk, world, life } = this;
    const mark: UnitMark = { database: disk.module, open: true };
    const hooks: (() => void)[] = [];
    const unit = { db: disk.writer, dialect: this.dialect, afterCommit: (hook: () => void) => hooks.push(hook) };
    disk.open(mark);
    try {
      const result = await inContext(() => currentUnit.run(mark, () => task(unit as Unit)));
      if (world.flaw === 'tells of a commit before it is made') {
        resolve(result);
        await new Promise<void>((over) => world.scheduler.after(5, over));
        if (!life.alive) return;
      }
      if (world.crashes()) return world.hostOf(disk.module).crash(`before a commit of ${disk.module}`);
      disk.commit();
      world.chronicle?.committed(disk.module);
      if (world.crashes()) return world.hostOf(disk.module).crash(`after a commit of ${disk.module}`);
      resolve(result);
      for (const hook of hooks) background.queueMicrotask(hook);
    } catch (error) {
      disk.undo();
      world.chronicle?.forget(disk.module);
      reject(error);
    }
    this.#schedule();
  }
}
