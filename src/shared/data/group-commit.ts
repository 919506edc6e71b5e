import { background, currentUnit, keepContext, type UnitMark } from '../context/index.ts';

/** What the group needs of a connection. */
export interface Transaction {
  /** Whether the log waits to be copied into the database, which `begin` can do when everything committed is on disk. */
  readonly logIsLong: boolean;
  begin(): void;
  save(): void;
  release(): void;
  undo(): void;
  /** Shows the group to the units after it, and to nobody else. */
  commit(): void;
  /** Puts what was committed on disk, and then shows it to readers. After a rejection nothing more can be committed. */
  sync(): Promise<void>;
  rollback(): void;
}

interface Waiting {
  task: (afterCommit: (hook: Hook) => void) => Promise<unknown>;
  /** Runs something in the context of the caller, not of whoever happened to begin the group. */
  inContext: <R>(run: () => R) => R;
  resolve: (value: unknown) => void;
  reject: (error: unknown) => void;
}

/** A unit that has run: what its caller is told once the group is on disk. */
interface Finished extends Waiting {
  readonly outcome: { readonly result: unknown } | { readonly error: unknown };
  readonly hooks: readonly Hook[];
}

type Hook = () => unknown;

/** A unit of work was open for too long. It was rolled back, and what its task still writes is refused. */
export class UnitOverdue extends Error {
  override readonly name = 'UnitOverdue';
}

const groupLimit = 512;
const groupMs = 5;
const unitLimitMs = 5_000;
const busyLimitMs = 5_000;
const busyPauseMs = 5;
const advice = 'it may wait for nothing but its own database';

/**
 * Runs units of work one after the other and commits the waiting ones together: each under a savepoint, so that one that
 * throws takes only itself back, and all with one fsync. While the disk writes one group, the next one runs: it is committed when the
 * one before is on disk. Each task runs in its caller's context; the group itself, and the hooks that follow a commit, belong to
 * nobody's request.
 */
export class GroupCommit {
  readonly #waiting: Waiting[] = [];
  #running = false;
  #syncing: Promise<void> | undefined;
  #failure: Error | undefined;
  #active: UnitMark | undefined;
  #limit: NodeJS.Timeout | undefined;
  #overdue = () => {};

  constructor(
    private readonly name: string,
    private readonly transaction: Transaction,
    private readonly now: () => number = () => performance.now(),
    /** Told when a hook fails after its commit. */
    private readonly hookFailed: (error: unknown) => void = () => {},
  ) {}

  /** Whether the calling code is inside the unit that is open now. */
  get inside(): boolean {
    return this.#active !== undefined && currentUnit.getStore() === this.#active;
  }

  get idle(): boolean {
    return !this.#running && !this.#syncing;
  }

  run<T>(task: (afterCommit: (hook: Hook) => void) => Promise<T>): Promise<T> {
    if (this.inside) {
      return Promise.reject(
        new Error(`a unit of work of "${this.name}" inside another: pass the open unit on instead`),
      );
    }
    return new Promise<T>((resolve, reject) => {
      this.#waiting.push({
        task,
        inContext: keepContext(),
        resolve: resolve as (value: unknown) => void,
        reject,
      });
      if (this.#running) return;
      this.#running = true;
      void background.run(() => this.#commitWaiting());
    });
  }

  /** A group forms in one turn of the event loop: it begins when nothing is left to be read. */
  async #commitWaiting(): Promise<void> {
    while (this.#waiting.length > 0) {
      await new Promise<void>((resolve) => background.setImmediate(resolve));
      await this.#commitGroup();
    }
    this.#running = false;
  }

  async #commitGroup(): Promise<void> {
    const finished: Finished[] = [];
    try {
      if (this.#failure || this.transaction.logIsLong) await this.#onDisk();
      await this.#begin();
      await this.#runWaiting(finished);
      if (this.#syncing) {
        // The disk takes one group at a time; this one grows meanwhile.
        await this.#onDisk();
        await this.#runWaiting(finished);
      }
      this.transaction.commit();
      this.#syncing = this.#sync(finished);
    } catch (error) {
      this.#giveUp(error, finished);
    }
  }

  /** Resolves when the group before is on disk. Throws when the disk has refused it, or one before it. */
  async #onDisk(): Promise<void> {
    await this.#syncing;
    if (this.#failure) throw this.#failure;
  }

  async #runWaiting(finished: Finished[]): Promise<void> {
    const startedAt = this.now();
    while (this.#waiting.length > 0 && finished.length < groupLimit && this.now() - startedAt < groupMs)
      finished.push(await this.#runOne(this.#waiting.shift()!));
  }

  /** Tells each unit of a group how it ended, once the group is on disk. When the disk refuses, nothing is committed any more. */
  async #sync(finished: readonly Finished[]): Promise<void> {
    try {
      await this.transaction.sync();
    } catch (cause) {
      this.#failure = new Error(`the disk did not confirm a commit of "${this.name}": check the disk, then restart`, {
        cause,
      });
      for (const unit of finished) fail(unit, this.#failure);
      return;
    } finally {
      this.#syncing = undefined;
    }
    for (const { outcome, resolve, reject } of finished)
      if ('error' in outcome) reject(outcome.error);
      else resolve(outcome.result);
    for (const { hooks } of finished) for (const hook of hooks) background.queueMicrotask(() => this.#follow(hook));
  }

  /** The commit stands, whatever becomes of what follows it. */
  #follow(hook: Hook): void {
    try {
      const following = hook();
      if (following instanceof Promise) following.catch(this.hookFailed);
    } catch (error) {
      this.hookFailed(error);
    }
  }

  /**
   * Waits for another process that writes, and lets everything else of this one go on meanwhile. When it fails, who has waited
   * longest is told so.
   */
  async #begin(): Promise<void> {
    for (
      const giveUpAt = this.now() + busyLimitMs;
      ;
      await new Promise<void>((resolve) => background.setTimeout(resolve, busyPauseMs))
    ) {
      try {
        return this.transaction.begin();
      } catch (error) {
        if ((error as { code?: string }).code === 'SQLITE_BUSY' && this.now() <= giveUpAt) continue;
        this.#waiting.shift()?.reject(error);
        throw error;
      }
    }
  }

  async #runOne(unit: Waiting): Promise<Finished> {
    const mark: UnitMark = { database: this.name, open: true };
    const hooks: Hook[] = [];
    this.#active = mark;
    try {
      this.transaction.save();
      const result = await this.#withinLimit(
        unit.inContext(() => currentUnit.run(mark, () => unit.task((hook) => hooks.push(hook)))),
      );
      this.transaction.release();
      return { ...unit, outcome: { result }, hooks };
    } catch (error) {
      mark.undone = true;
      this.#undo(unit, error);
      return { ...unit, outcome: { error }, hooks: [] };
    } finally {
      mark.open = false;
      this.#active = undefined;
    }
  }

  /** On a full disk SQLite may have ended the whole transaction: then nothing is left to undo, and the group ends. */
  #undo(unit: Waiting, error: unknown): void {
    try {
      this.transaction.undo();
    } catch (ended) {
      unit.reject(error);
      throw ended;
    }
  }

  /** One timer for all: only one unit is open at a time, and arming it again is cheaper than a new one. */
  #withinLimit<T>(work: Promise<T>): Promise<T> {
    this.#limit ??= background.setTimeout(() => this.#overdue(), unitLimitMs).unref();
    this.#limit.refresh();
    return new Promise<T>((resolve, reject) => {
      this.#overdue = () => {
        reject(
          new UnitOverdue(
            `a unit of work of "${this.name}" was open for ${unitLimitMs} ms and was rolled back: ${advice}`,
          ),
        );
      };
      work.then(resolve, reject);
    });
  }

  /** The transaction itself failed (disk full, file gone): none of the group happened, and each is told so. */
  #giveUp(error: unknown, finished: readonly Finished[]): void {
    try {
      this.transaction.rollback();
    } catch {
      // The connection has already left the transaction.
    }
    for (const unit of finished) fail(unit, error);
    if (this.#failure) for (const unit of this.#waiting.splice(0)) unit.reject(this.#failure);
  }
}

/** A unit that had failed by itself is told its own reason. */
function fail({ outcome, reject }: Finished, error: unknown): void {
  reject('error' in outcome ? outcome.error : error);
}
