import { Cron } from 'croner';
import { messageOf, StartError } from '../errors/index.ts';
import type { Timer } from './module.ts';

/** Intervals shorter than this are kept in memory alone. */
const shortestRecordedMs = 60_000;

/** Returns the time of the next run after a time, both in milliseconds since 1970. */
export type NextRun = (afterMs: number) => number;

/**
 * Returns when a timer runs next after its last run. Returns `undefined` for a timer whose interval is shorter than a minute: its last
 * run is not recorded, so that an idle timer writes nothing.
 */
export function recordedSchedule(timer: Timer): NextRun | undefined {
  const { everyMs } = timer;
  if (everyMs === undefined) {
    const cron = cronOf(timer);
    // An expression that `refuseInvalidTimers` accepts has no last time.
    return (afterMs) => cron.nextRun(new Date(afterMs))!.getTime();
  }
  return everyMs < shortestRecordedMs ? undefined : (afterMs) => afterMs + everyMs;
}

/** Throws a `StartError` when two timers of a module share a name, or when one has an invalid interval, cron expression or time zone. */
export function refuseInvalidTimers(module: string, timers: readonly Timer[], nowMs: number): void {
  const names = new Set<string>();
  for (const timer of timers) {
    const refuse = (reason: string) => {
      throw new StartError(`timer "${timer.name}" of "${module}": ${reason}`);
    };
    if (names.has(timer.name)) refuse('another timer has this name; the name identifies the record of its last run');
    names.add(timer.name);
    const reason = whyNot(timer, nowMs);
    if (reason) refuse(reason);
  }
}

function whyNot(timer: Timer, nowMs: number): string | undefined {
  const { everyMs, cron, timeZone } = timer;
  if (everyMs !== undefined) return everyMs > 0 ? undefined : `everyMs must be a positive number, not ${everyMs}`;
  try {
    new Intl.DateTimeFormat('en', { timeZone });
  } catch {
    return `time zone "${timeZone}" is unknown; write a name such as Europe/Berlin`;
  }
  const invalid = (reason: string) =>
    `cron "${cron}" is invalid: ${reason}; write five fields: minute, hour, day of month, month, day of week`;
  try {
    const times = cronOf(timer);
    // The library also takes a date, which comes once.
    if (!times.getPattern()) return invalid('it is a date');
    return times.nextRun(new Date(nowMs)) ? undefined : invalid('no date matches it');
  } catch (error) {
    return invalid(messageOf(error).replace(/^CronPattern: |\.$/g, ''));
  }
}

/**
 * Compiles a cron expression, to minutes. A time that the change to summer time skips runs at the change; a time that the change back
 * repeats runs once. An expression with `*` or a step in its minutes or hours follows the elapsed time instead.
 */
function cronOf({ cron, timeZone }: Extract<Timer, { cron: string }>): Cron {
  return new Cron(cron, { mode: '5-part', timezone: timeZone ?? 'UTC', fixedTimeRule: 'no-wildcard', paused: true });
}
