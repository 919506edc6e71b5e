import { background, currentUnit, keepContext, type UnitMark } from '../context/index.ts';

/** What the group needs of a connection; each call is synchronous. */
export interface Transaction {
  begin(): void;
  save(): void;
  release(): void;
  undo(): void;
  commit(): void;
  rollback(): void;
}

interface Waiting {
  task: (afterCommit: (hook: Hook) => void) => Promise<unknown>;
  /** Runs something in the context of the caller, not of whoever happened to begin the group. */
  inContext: <R>(run: () => R) => R;
  resolve: (value: unknown) => void;
  reject: (error: unknown) => void;
}

interface Finished extends Waiting {
  result: unknown;
  hooks: Hook[];
}

type Hook = () => unknown;

/** A unit of work was open for too long. It was rolled back, and what its task still writes is refused. */
export class UnitOverdue extends Error {
  override readonly name = 'UnitOverdue';
}

const groupLimit = 512;
const groupMs = 20;
const unitLimitMs = 5_000;
const busyLimitMs = 5_000;
const busyPauseMs = 5;
const advice = 'it may wait for nothing but its own database';

/**
 * Runs units of work one after the other and commits the waiting ones together: each under a savepoint, so that one that
 * throws takes only itself back, and all with one fsync. Each task runs in its caller's context; the group itself, and the
 * hooks that follow a commit, belong to nobody's request.
 */
export class GroupCommit {
  readonly #waiting: Waiting[] = [];
  #running = false;
  #crowded = false;
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
    return !this.#running && this.#waiting.length === 0;
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
      this.#schedule();
    });
  }

  /** Where there was a crowd last time, a turn of the event loop lets it gather; a single writer does not wait. */
  #schedule(): void {
    const next = () => void this.#commitWaiting();
    if (this.#crowded) background.setImmediate(next);
    else background.queueMicrotask(next);
  }

  async #commitWaiting(): Promise<void> {
    const finished: Finished[] = [];
    try {
      await this.#begin();
      const startedAt = this.now();
      while (this.#waiting.length > 0 && finished.length < groupLimit && this.now() - startedAt < groupMs) {
        await this.#runOne(this.#waiting.shift()!, finished);
      }
      this.transaction.commit();
      for (const unit of finished) unit.resolve(unit.result);
      for (const { hooks } of finished) for (const hook of hooks) background.queueMicrotask(() => this.#follow(hook));
    } catch (error) {
      this.#giveUp(error, finished);
    }
    this.#crowded = finished.length > 1 || this.#waiting.length > 0;
    if (this.#waiting.length > 0) this.#schedule();
    else this.#running = false;
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

  async #runOne(unit: Waiting, finished: Finished[]): Promise<void> {
    const mark: UnitMark = { database: this.name, open: true };
    const hooks: Hook[] = [];
    this.#active = mark;
    try {
      this.transaction.save();
      const result = await this.#withinLimit(
        unit.inContext(() => currentUnit.run(mark, () => unit.task((hook) => hooks.push(hook)))),
      );
      this.transaction.release();
      finished.push({ ...unit, result, hooks });
    } catch (error) {
      // First: on a full disk SQLite may have ended the whole transaction, and there is nothing left to undo.
      mark.undone = true;
      unit.reject(error);
      this.transaction.undo();
    } finally {
      mark.open = false;
      this.#active = undefined;
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
  #giveUp(error: unknown, finished: Finished[]): void {
    try {
      this.transaction.rollback();
    } catch {
      // The connection has already left the transaction.
    }
    for (const unit of finished) unit.reject(error);
  }
}
