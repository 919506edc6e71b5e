import { background, currentUnit, turn, type UnitMark } from '../context/index.ts';
import { type Following, type Hook, QueuedUnit } from './queued-unit.ts';

/** What the group needs of a connection. */
export interface Transaction {
  /** Whether the log waits to be copied into the database, which `begin` can do when everything committed is on disk. */
  readonly logIsLong: boolean;
  /** Units are in flight, until `ended`. */
  begun(): void;
  ended(): void;
  begin(): void | Promise<void>;
  save(): void;
  release(): void;
  undo(): void;
  /** Ends when the disk is free: nothing is committed before. */
  readonly busy: Promise<void> | undefined;
  /** Earlier commits that must be on disk before this group commits. */
  readonly restsOn: Promise<void> | undefined;
  /** Shows the group to the units after it, and to nobody else. */
  commit(): void;
  /** Puts what was committed on disk, and then shows it to readers. After a rejection nothing more can be committed. */
  sync(): Promise<void>;
  rollback(): void;
}

/** A unit of work was open for too long. It was rolled back, and what its task still writes is refused. */
export class UnitOverdue extends Error {
  override readonly name = 'UnitOverdue';

  constructor(database: string) {
    super(`a unit of work of "${database}" was open for ${unitLimitMs} ms and was rolled back: ${advice}`);
  }
}

const groupLimit = 512;
const groupMs = 2;
const unitLimitMs = 5_000;
const busyLimitMs = 5_000;
const busyPauseMs = 5;
const advice = 'it may wait for nothing but its own database';

/**
 * Runs units of work one after the other and commits the waiting ones together: each under a savepoint, so that one that
 * throws takes only itself back, and all with one fsync. While the disk writes, the next group runs: it is committed when the disk is
 * free. Each task runs in its caller's context. The group itself and the hooks after a commit run outside any request.
 */
export class GroupCommit {
  readonly #waiting: QueuedUnit[] = [];
  #running = false;
  #syncing: Promise<void> | undefined;
  #unsynced = 0;
  #failure: Error | undefined;
  #active: UnitMark | undefined;
  #limit: NodeJS.Timeout | undefined;
  #overdue: (error: UnitOverdue) => void = () => {};
  private readonly name: string;
  private readonly transaction: Transaction;
  private readonly now: () => number;
  /** Told when a hook fails after its commit. */
  private readonly hookFailed: (error: unknown) => void;
  /** What a caller is told of an error. */
  private readonly explain: (error: unknown) => unknown;

  constructor(
    name: string,
    transaction: Transaction,
    now: () => number = () => performance.now(),
    hookFailed: (error: unknown) => void = () => {},
    explain: (error: unknown) => unknown = (error) => error,
  ) {
    this.name = name;
    this.transaction = transaction;
    this.now = now;
    this.hookFailed = hookFailed;
    this.explain = explain;
  }

  /** Whether the calling code is inside the unit that is open now. */
  get inside(): boolean {
    return this.#active !== undefined && currentUnit.getStore() === this.#active;
  }

  get idle(): boolean {
    return !this.#running && this.#unsynced === 0;
  }

  /** Resolves with what `task` does once that is on disk, or `ahead` of that. */
  run<T>(task: (follow: Following) => Promise<T>, ahead = false): Promise<T> {
    if (this.inside) {
      return Promise.reject(
        new Error(`a unit of work of "${this.name}" inside another: pass the open unit on instead`),
      );
    }
    return new Promise<T>((resolve, reject) => {
      const fail = (error: unknown) => reject(this.explain(error));
      this.#waiting.push(new QueuedUnit(task, ahead, resolve as (value: unknown) => void, fail));
      if (this.#running) return;
      this.#running = true;
      this.transaction.begun();
      void background.run(() => this.#commitWaiting());
    });
  }

  /** A group forms in one turn of the event loop: it begins when nothing is left to be read. */
  async #commitWaiting(): Promise<void> {
    while (this.#waiting.length > 0) {
      await new Promise<void>((resolve) => background.setImmediate(resolve));
      await turn();
      await this.#commitGroup();
    }
    this.#running = false;
    this.transaction.ended();
  }

  async #commitGroup(): Promise<void> {
    const finished: QueuedUnit[] = [];
    try {
      if (this.#failure || this.transaction.logIsLong) await this.#onDisk();
      await this.#begin();
      await this.#runWaiting(finished);
      for (let { busy } = this.transaction; busy; busy = this.transaction.busy) {
        // The disk takes one group at a time; this one grows meanwhile.
        await this.#waitFor(busy);
        await this.#runWaiting(finished);
      }
      if (this.transaction.restsOn) await this.#waitFor(this.transaction.restsOn);
      this.transaction.commit();
      this.#tellAhead(finished);
      this.#syncing = this.#sync(finished);
    } catch (error) {
      this.#giveUp(error, finished);
    }
  }

  /** Nobody waits for this group meanwhile. */
  async #waitFor(disk: Promise<void>): Promise<void> {
    this.transaction.ended();
    await disk.catch((cause) => this.#failed(cause));
    this.transaction.begun();
    if (this.#failure) throw this.#failure;
  }

  /** Resolves when the group before is on disk. Throws when the disk has refused it, or one before it. */
  async #onDisk(): Promise<void> {
    await this.#syncing;
    if (this.#failure) throw this.#failure;
  }

  async #runWaiting(finished: QueuedUnit[]): Promise<void> {
    const startedAt = this.now();
    while (this.#waiting.length > 0 && finished.length < groupLimit && this.now() - startedAt < groupMs)
      finished.push(await this.#runOne(this.#waiting.shift()!));
  }

  #tellAhead(finished: readonly QueuedUnit[]): void {
    for (const unit of finished) {
      if (unit.hasFailed) continue;
      if (unit.ahead) unit.resolve(unit.outcome);
      for (const hook of unit.hooksAhead) background.queueMicrotask(() => this.#follow(hook));
    }
  }

  /** Tells each unit of a group how it ended, once the group is on disk. When the disk refuses, nothing is committed any more. */
  async #sync(finished: readonly QueuedUnit[]): Promise<void> {
    this.#unsynced += 1;
    try {
      await this.transaction.sync();
      await turn();
    } catch (cause) {
      const failure = this.#failed(cause);
      for (const unit of finished) unit.fail(failure);
      return;
    } finally {
      this.#unsynced -= 1;
    }
    for (const { hasFailed, outcome, resolve, reject } of finished) (hasFailed ? reject : resolve)(outcome);
    for (const { hasFailed, hooks } of finished)
      if (!hasFailed) for (const hook of hooks) background.queueMicrotask(() => this.#follow(hook));
  }

  /** Nobody knows what is on disk: nothing is committed any more. */
  #failed(cause: unknown): Error {
    this.#failure ??= new Error(`the disk did not confirm a commit of "${this.name}": check the disk, then restart`, {
      cause,
    });
    return this.#failure;
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
        return await this.transaction.begin();
      } catch (error) {
        if ((error as { code?: string }).code === 'SQLITE_BUSY' && this.now() <= giveUpAt) continue;
        this.#waiting.shift()?.reject(error);
        throw error;
      }
    }
  }

  async #runOne(unit: QueuedUnit): Promise<QueuedUnit> {
    const mark: UnitMark = { database: this.name, open: true };
    this.#active = mark;
    try {
      this.transaction.save();
      unit.outcome = await this.#withinLimit(unit.start(mark));
      this.transaction.release();
    } catch (error) {
      mark.undone = true;
      unit.hasFailed = true;
      unit.outcome = error;
      this.#undo(unit, error);
    } finally {
      mark.open = false;
      this.#active = undefined;
    }
    return unit;
  }

  /** On a full disk SQLite may have ended the whole transaction: then nothing is left to undo, and the group ends. */
  #undo(unit: QueuedUnit, error: unknown): void {
    try {
      this.transaction.undo();
    } catch (ended) {
      unit.reject(error);
      throw ended;
    }
  }

  /** One timer for all: only one unit is open at a time, and arming it again is cheaper than a new one. */
  #withinLimit<T>(work: Promise<T>): Promise<T> {
    this.#limit ??= background.setTimeout(() => this.#overdue(new UnitOverdue(this.name)), unitLimitMs).unref();
    this.#limit.refresh();
    return new Promise<T>((resolve, reject) => {
      this.#overdue = reject;
      work.then(resolve, reject);
    });
  }

  /** The transaction itself failed (disk full, file gone): none of the group happened, and each is told so. */
  #giveUp(error: unknown, finished: readonly QueuedUnit[]): void {
    try {
      this.transaction.rollback();
    } catch {
      // The connection has already left the transaction.
    }
    for (const unit of finished) unit.fail(error);
    if (this.#failure) for (const unit of this.#waiting.splice(0)) unit.reject(this.#failure);
  }
}
