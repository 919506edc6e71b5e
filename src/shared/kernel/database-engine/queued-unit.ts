import { currentUnit, keepContext, type UnitMark } from '../context/index.ts';
import type { UnitUsage } from '../database/index.ts';

export type Hook = () => unknown;

/** Registers hooks that run after a commit. */
export interface Following {
  /** Runs `hook` once the unit is on disk. */
  afterCommit(hook: Hook): void;
  /** Runs `hook` as soon as later units see the unit, before it is on disk. Use it only for effects that stay in this process. */
  ahead(hook: Hook): void;
}

/** A unit of work that waits in the queue, runs, and receives its outcome. */
export class QueuedUnit {
  /** Runs a function in the context of the caller. The group itself runs outside any request. */
  readonly #inContext = keepContext();
  readonly hooks: Hook[] = [];
  readonly hooksAhead: Hook[] = [];
  hasFailed = false;
  /** The value that the task returned, or the error that it threw. */
  outcome: unknown;
  readonly task: (follow: Following) => Promise<unknown>;
  /** Whether the caller receives the result as soon as later units see the unit, before it is on disk. */
  readonly ahead: boolean;
  readonly usage: UnitUsage | undefined;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;

  constructor(
    task: (follow: Following) => Promise<unknown>,
    ahead: boolean,
    usage: UnitUsage | undefined,
    resolve: (value: unknown) => void,
    reject: (error: unknown) => void,
  ) {
    this.task = task;
    this.ahead = ahead;
    this.usage = usage;
    this.resolve = resolve;
    this.reject = reject;
  }

  /** Whether something waits until the unit is on disk. Nothing waits when the caller, or a hook, continues before. */
  get isUrgent(): boolean {
    if (this.hasFailed) return true;
    return this.ahead ? this.hooks.length > 0 : this.hooksAhead.length === 0;
  }

  /** Runs its task in the context of its caller. */
  start(mark: UnitMark): Promise<unknown> {
    const follow = {
      afterCommit: (hook: Hook) => this.hooks.push(hook),
      ahead: (hook: Hook) => this.hooksAhead.push(hook),
    };
    return this.#inContext(() => currentUnit.run(mark, this.task, follow));
  }

  /** Rejects the unit, because nothing of its group was committed. A unit that failed by itself is rejected with its own error. */
  fail(error: unknown): void {
    this.reject(this.hasFailed ? this.outcome : error);
  }
}

/** Adds a wait for the disk to the usage of each unit. */
export function addDiskTime(units: readonly QueuedUnit[], ms: number): void {
  for (const { usage } of units) if (usage) usage.diskMs += ms;
}
