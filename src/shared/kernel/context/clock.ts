import { background } from './background.ts';

/** Provides the time. Code that waits, expires or writes a date uses a clock, so that a test can move the time. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /**
   * Runs `task` once after `delayMs`, unless cancelled first. Does not keep the process alive. The task runs in the background:
   * it belongs to no request, not even to the request that set the timer.
   */
  after(delayMs: number, task: () => void): Cancel;
}

export type Cancel = () => void;

/** Returns the clock's time in the format of the contracts: ISO 8601, UTC. */
export function instant(clock: Clock): string {
  return instantOf(clock.now());
}

let [latestMs, latest] = [Number.NaN, ''];

/** Formats milliseconds since 1970 like `instant`. Caches the last text, since many calls ask for the same millisecond. */
export function instantOf(ms: number): string {
  if (ms !== latestMs) [latestMs, latest] = [ms, new Date(ms).toISOString()];
  return latest;
}

/**
 * Reads the machine's clock once, at the start of this process, and adds the time that has passed since. Later steps of the
 * machine's clock do not move it. Use it to measure durations.
 */
export const steadyClock: Clock = {
  now: () => performance.timeOrigin + performance.now(),
  after: (delayMs, task) => systemClock.after(delayMs, task),
};

export const systemClock: Clock = {
  now: () => Date.now(),
  after(delayMs, task) {
    const timer = background.setTimeout(task, Math.min(delayMs, 2 ** 31 - 1));
    timer.unref();
    return () => clearTimeout(timer);
  },
};

/** Resolves after `delayMs`. */
export function pause(clock: Clock, delayMs: number): Promise<void> {
  return new Promise((resolve) => clock.after(delayMs, resolve));
}
