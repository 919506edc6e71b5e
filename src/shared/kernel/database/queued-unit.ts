import { currentUnit, keepContext, type UnitMark } from '../context/index.ts';

export type Hook = () => unknown;

/** Registers hooks that run after a commit. */
export interface Following {
  /** Once it is on disk. */
  afterCommit(hook: Hook): void;
  /** Once the units after it see it, before it is on disk: for what stays in this process. */
  ahead(hook: Hook): void;
}

/** A unit of work that waits, runs, and is told how it ended. */
export class QueuedUnit {
  /** Runs a function in the context of the caller. The context of the group is that of its first unit. */
  readonly #inContext = keepContext();
  readonly hooks: Hook[] = [];
  readonly hooksAhead: Hook[] = [];
  hasFailed = false;
  /** What its task has returned, or thrown. */
  outcome: unknown;
  readonly task: (follow: Following) => Promise<unknown>;
  /** Told of its result ahead: once the units after it see it, before it is on disk. */
  readonly ahead: boolean;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;

  constructor(
    task: (follow: Following) => Promise<unknown>,
    ahead: boolean,
    resolve: (value: unknown) => void,
    reject: (error: unknown) => void,
  ) {
    this.task = task;
    this.ahead = ahead;
    this.resolve = resolve;
    this.reject = reject;
  }

  /** Runs its task in the context of its caller. */
  start(mark: UnitMark): Promise<unknown> {
    const follow = {
      afterCommit: (hook: Hook) => this.hooks.push(hook),
      ahead: (hook: Hook) => this.hooksAhead.push(hook),
    };
    return this.#inContext(() => currentUnit.run(mark, this.task, follow));
  }

  /** Tells that nothing of its group was committed. A unit that had failed by itself is told its own reason. */
  fail(error: unknown): void {
    this.reject(this.hasFailed ? this.outcome : error);
  }
}
