import { background, currentUnit, keepContext, type UnitMark } from '../../src/shared/kernel/context/index.ts';
import type { CrashNote, Database, Migration, ProcessLocks, Unit } from '../../src/shared/kernel/database/index.ts';
import type { Disk } from './disk.ts';
import type { Life } from './host.ts';
import { refuseLost } from './lost-data.ts';
import type { World } from './world.ts';

interface Waiting {
  task: (unit: Unit) => Promise<unknown>;
  inContext: <R>(run: () => R) => R;
  resolve: (value: unknown) => void;
  reject: (error: unknown) => void;
}

/** Locks that do nothing: the simulation itself knows which of its processes live. */
export const noLocks: ProcessLocks = { hold() {}, isHeld: () => undefined, release() {}, forget() {} };

/** Opens a module's disk for one life of its process. */
export function openOn(disk: Disk, life: Life, world: World) {
  return (_module: string, migrations: Migration[]): Database => {
    refuseLost(disk, world);
    if (world.flaw !== 'starts on data of an incompatible release' || life.host.migration) disk.migrate(migrations);
    return new SimulatedDatabase(disk, life, world);
  };
}

const unitLimitMs = 5_000;
const busyPauseMs = 5;

/**
 * Runs units of work one after the other, also among processes that share the disk. Rolls back a unit after 5 s. The process may crash
 * just before a commit, which rolls the unit back, or just after it, before the caller learns of it. In a dead process no unit begins and
 * no promise settles.
 */
class SimulatedDatabase implements Database {
  readonly dialect = 'sqlite';
  readonly db;
  readonly locks = noLocks;
  readonly crashNote?: CrashNote;
  readonly #waiting: Waiting[] = [];
  #running = false;
  private readonly disk: Disk;
  private readonly life: Life;
  private readonly world: World;

  constructor(disk: Disk, life: Life, world: World) {
    this.disk = disk;
    this.life = life;
    this.world = world;
    this.db = disk.reader;
    if (world.flaw !== 'delivers an event that kills its process again and again') this.crashNote = noteOn(disk, life);
  }

  work<T>(task: (unit: Unit) => Promise<T>): Promise<T> {
    if (this.disk.owner === this.life && currentUnit.getStore()?.open) {
      return Promise.reject(new Error(`a unit of work of "${this.disk.module}" inside another`));
    }
    return new Promise<T>((resolve, reject) => {
      this.#waiting.push({ task, inContext: keepContext(), resolve: resolve as (value: unknown) => void, reject });
      if (!this.#running) this.#schedule();
    });
  }

  workAhead<T>(task: (unit: Unit) => Promise<T>): Promise<T> {
    return this.work(task);
  }

  /** Resolves at once: a simulated disk keeps every commit. */
  async onDisk(): Promise<void> {}

  async close(): Promise<void> {}

  #schedule(): void {
    const next = this.#waiting.shift();
    this.#running = next !== undefined;
    if (!next) return;
    const { random } = this.world;
    this.#begin(next, this.world.strikes('stall') ? random.between(100, 10_000) : random.between(0, 2));
  }

  #begin(next: Waiting, afterMs: number): void {
    const { world, life, disk } = this;
    const begin = () => (disk.busy ? this.#begin(next, busyPauseMs) : world.watch(this.#run(next)));
    world.scheduler.after(afterMs, () => life.run(begin));
  }

  async #run({ task, inContext, resolve, reject }: Waiting): Promise<void> {
    const { disk, world, life } = this;
    const mark: UnitMark = { database: disk.module, open: true };
    const hooks: (() => void)[] = [];
    const follow = (hook: () => void) => hooks.push(hook);
    const unit = { db: disk.writer, dialect: this.dialect, afterCommit: follow, ahead: follow };
    disk.open(mark, life);
    try {
      const result = await this.#withinLimit(inContext(() => currentUnit.run(mark, () => task(unit as Unit))));
      if (!life.alive) return;
      if (world.flaw === 'reports a commit before it happens') {
        resolve(result);
        await new Promise<void>((over) => world.scheduler.after(5, over));
        if (!life.alive) return;
      }
      if (world.crashes()) return life.host.crash?.(`before a commit of ${disk.module}`);
      if (world.flaw === 'forgets its recorded answers') disk.forgetAnswers();
      disk.commit();
      world.chronicle?.committed(disk.module);
      if (world.crashes()) return life.host.crash?.(`after a commit of ${disk.module}`);
      resolve(result);
      const follow = () => {
        for (const hook of hooks) background.queueMicrotask(() => life.run(hook));
      };
      inContext(follow);
    } catch (error) {
      if (!life.alive) return;
      mark.undone = true;
      disk.undo();
      world.chronicle?.forget(disk.module);
      reject(error);
    }
    this.#schedule();
  }

  #withinLimit<T>(work: Promise<T>): Promise<T> {
    const { world, life, disk } = this;
    if (world.flaw === 'waits for a handler forever') return work;
    return new Promise<T>((resolve, reject) => {
      const overdue = () => reject(new Error(`a unit of work of "${disk.module}" was open for ${unitLimitMs} ms`));
      const cancel = world.scheduler.after(unitLimitMs, () => life.run(overdue));
      work.finally(cancel).then(resolve, reject);
    });
  }
}

/** Returns the crash note on a disk. A dead process's leftover code cannot write to it. */
function noteOn(disk: Disk, life: Life): CrashNote {
  return {
    get isEmpty() {
      return disk.note === '';
    },
    read: () => disk.note,
    write(text) {
      if (life.alive) disk.note = text;
    },
  };
}
