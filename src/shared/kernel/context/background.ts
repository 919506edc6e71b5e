import { AsyncResource } from 'node:async_hooks';

/** The scope of code that belongs to no request. */
export const nobody = new AsyncResource('kerf-background');

/**
 * Work that belongs to no request: it has no context, no open unit of work, and nothing else that travels with the caller's
 * code. Whatever outlives the request that starts it begins here: timers, wakes, connections. Otherwise it would end with that
 * request's deadline, or be cancelled by a client that hangs up.
 */
export const background = {
  /** Runs `task` now and returns what it returns. What the task starts, and what follows it, stays in the background. */
  run<A extends unknown[], T>(task: (...input: A) => T, ...input: A): T {
    return nobody.runInAsyncScope(task, undefined, ...input);
  },

  setTimeout(task: () => void, delayMs: number): NodeJS.Timeout {
    return nobody.runInAsyncScope(setTimeout, undefined, task, delayMs);
  },

  setInterval(task: () => void, everyMs: number): NodeJS.Timeout {
    return nobody.runInAsyncScope(setInterval, undefined, task, everyMs);
  },

  setImmediate(task: () => void): NodeJS.Immediate {
    return nobody.runInAsyncScope(setImmediate, undefined, task);
  },

  nextTick(task: () => void): void {
    nobody.runInAsyncScope(process.nextTick, undefined, task);
  },

  queueMicrotask(task: () => void): void {
    nobody.runInAsyncScope(queueMicrotask, undefined, task);
  },
};
