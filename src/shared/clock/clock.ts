import { background } from '../context/index.ts';

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
  return new Date(clock.now()).toISOString();
}

/** Measures how long things take: no step of the machine's clock moves it. Its times mean nothing to other processes. */
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
