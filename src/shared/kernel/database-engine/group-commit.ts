import { background, currentUnit, turn, type UnitMark } from '../context/index.ts';
import { type CommitCounts, UnitOverdue, type UnitUsage, unitLimitMs, type WrittenGroup } from '../database/index.ts';
import { errorCode } from '../errors/index.ts';
import { addDiskTime, type Following, type Hook, QueuedUnit } from './queued-unit.ts';
import type { Transaction } from './transaction.ts';

const groupLimit = 512;
const groupMs = 2;
const busyLimitMs = 5_000;
const busyPauseMs = 5;

/**
 * Runs units of work one after the other and commits the waiting units together with one fsync. Each unit has its own savepoint, so a
 * unit that throws rolls back only its own writes. While the disk writes, the next group runs; it commits when the disk is free. Each
 * task runs in the context of its caller. The group itself and the hooks after a commit run outside any request.
 */
export class GroupCommit {
  readonly #waiting: QueuedUnit[] = [];
  #running = false;
  #syncing: Promise<void> | undefined;
  #unsynced = 0;
  #units = 0;
  #failure: Error | undefined;
  #active: UnitMark | undefined;
  /** The usage of the unit that is open now, if its caller wants to know it. */
  #usage: UnitUsage | undefined;
  #limit: NodeJS.Timeout | undefined;
  #overdue: (error: UnitOverdue) => void = () => {};
  /** Called for each group that is on disk. Must not throw. */
  onWritten: (group: WrittenGroup) => void = () => {};
  private readonly name: string;
  private readonly transaction: Transaction;
  private readonly now: () => number;
  /** Receives the error of a hook that fails after its commit. */
  private readonly hookFailed: (error: unknown) => void;
  /** Maps an error to the error that the caller receives. */
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

  get counts(): CommitCounts {
    return { waiting: this.#waiting.length, units: this.#units };
  }

  get idle(): boolean {
    return !this.#running && this.#unsynced === 0;
  }

  /** Call it for each statement of the unit that is open now. */
  ran(): void {
    if (this.#usage) this.#usage.statements += 1;
  }

  /** Runs `task` in a unit. Resolves with its result once the unit is on disk, or before that when `ahead` is set. Adds to `usage`. */
  run<T>(task: (follow: Following) => Promise<T>, ahead = false, usage?: UnitUsage): Promise<T> {
    if (this.inside) {
      return Promise.reject(
        new Error(`a unit of work of "${this.name}" inside another: pass the open unit on instead`),
      );
    }
    return new Promise<T>((resolve, reject) => {
      const fail = (error: unknown) => reject(this.explain(error));
      this.#waiting.push(new QueuedUnit(task, ahead, usage, resolve as (value: unknown) => void, fail));
      if (this.#running) return;
      this.#running = true;
      this.transaction.begun();
      void background.run(() => this.#commitWaiting());
    });
  }

  /** Forms each group in one turn of the event loop. The group begins when no input is left to read. */
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
        // The disk takes one group at a time. This group grows meanwhile.
        await this.#waitFor(busy, finished);
        await this.#runWaiting(finished);
      }
      if (this.transaction.restsOn) await this.#waitFor(this.transaction.restsOn, finished);
      const startedAt = this.now();
      this.transaction.commit();
      const committedMs = this.now() - startedAt;
      addDiskTime(finished, committedMs);
      this.#tellAhead(finished);
      this.#syncing = this.#sync(finished, committedMs);
    } catch (error) {
      this.#giveUp(error, finished);
    }
  }

  /** Waits for the disk. Nothing waits for this group meanwhile. */
  async #waitFor(disk: Promise<void>, finished: readonly QueuedUnit[]): Promise<void> {
    const startedAt = this.now();
    this.transaction.ended();
    await disk.catch((cause) => this.#failed(cause));
    this.transaction.begun();
    addDiskTime(finished, this.now() - startedAt);
    if (this.#failure) throw this.#failure;
  }

  /** Resolves when the previous group is on disk. Rejects when the disk has refused that group or an earlier one. */
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

  /** Settles each unit of a group once the group is on disk. When the disk refuses the group, no later group commits. */
  async #sync(finished: readonly QueuedUnit[], committedMs: number): Promise<void> {
    this.#unsynced += 1;
    const startedAt = this.now();
    try {
      await this.transaction.sync(finished.some(({ isUrgent }) => isUrgent));
      const ms = this.now() - startedAt;
      this.onWritten({ units: finished.length, ms: committedMs + ms });
      addDiskTime(finished, ms);
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

  /** Prevents all further commits, because the content of the disk is unknown. */
  #failed(cause: unknown): Error {
    this.#failure ??= new Error(`the disk did not confirm a commit of "${this.name}": check the disk, then restart`, {
      cause,
    });
    return this.#failure;
  }

  /** Runs a hook after the commit. The commit stands even when the hook fails. */
  #follow(hook: Hook): void {
    try {
      const following = hook();
      if (following instanceof Promise) following.catch(this.hookFailed);
    } catch (error) {
      this.hookFailed(error);
    }
  }

  /**
   * Begins the transaction. Waits while another process writes, without blocking this process. On failure, rejects the unit that has
   * waited longest.
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
        if (errorCode(error) === 'SQLITE_BUSY' && this.now() <= giveUpAt) continue;
        this.#waiting.shift()?.reject(error);
        throw error;
      }
    }
  }

  async #runOne(unit: QueuedUnit): Promise<QueuedUnit> {
    this.#units += 1;
    const mark: UnitMark = { database: this.name, open: true };
    this.#active = mark;
    this.#usage = unit.usage;
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
      this.#usage = undefined;
    }
    return unit;
  }

  /** Rolls one unit back. On a full disk, SQLite may have ended the whole transaction. Then nothing is left to undo; the group ends. */
  #undo(unit: QueuedUnit, error: unknown): void {
    try {
      this.transaction.undo();
    } catch (ended) {
      unit.reject(error);
      throw ended;
    }
  }

  /** Limits how long a unit is open. All units share one timer: only one is open at a time, and rearming is cheaper than a new timer. */
  #withinLimit<T>(work: Promise<T>): Promise<T> {
    this.#limit ??= background.setTimeout(() => this.#overdue(new UnitOverdue(this.name)), unitLimitMs).unref();
    this.#limit.refresh();
    return new Promise<T>((resolve, reject) => {
      this.#overdue = reject;
      work.then(resolve, reject);
    });
  }

  /** Rolls the whole group back and rejects its units: the transaction itself failed (disk full, file gone). */
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
