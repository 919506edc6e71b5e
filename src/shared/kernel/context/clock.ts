import { background } from './background.ts';

/** Time, passed in: what waits, expires or is dated asks the clock, so that a test can move it. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /**
   * Runs `task` once after `delayMs`, unless cancelled first. Does not keep the process alive. The task runs in the background:
   * it belongs to no request, whoever set the timer.
   */
  after(delayMs: number, task: () => void): Cancel;
}

export type Cancel = () => void;

/** The clock's time as the contracts show it: ISO 8601, UTC. */
export function instant(clock: Clock): string {
  return instantOf(clock.now());
}

let [latestMs, latest] = [Number.NaN, ''];

/** A time in milliseconds since 1970, as the contracts show it. Many are asked for in the same millisecond, so the latest text is kept. */
export function instantOf(ms: number): string {
  if (ms !== latestMs) [latestMs, latest] = [ms, new Date(ms).toISOString()];
  return latest;
}

/**
 * The time of the machine's clock at the start of this process, and the time that has passed since. No step of that clock moves it:
 * use it to measure how long something takes.
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
