import { AsyncResource } from 'node:async_hooks';

/** The scope of code that belongs to no request. */
export const nobody = new AsyncResource('kerf-background');

/**
 * Starts work that belongs to no request. The work has no context, no open unit of work, and nothing else that travels with the
 * caller's code. Use it for all work that outlives its request: timers, wakes, connections. Otherwise the request's deadline
 * would end the work, or a client that hangs up would cancel it.
 */
export const background = {
  /** Runs `task` now and returns its result. Work that the task starts, and work that follows it, stays in the background. */
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
