import type { Cancel, Clock } from '../context/index.ts';
import { defineTables, type Migration, rowBy, type Unit } from '../database/index.ts';
import { LeadLost } from '../leader-election/index.ts';
import { FailureLog, inSpan, type Log, ofService, withTrace } from '../telemetry/index.ts';
import type { ModuleUnit, Timer } from './module.ts';
import { type NextRun, recordedSchedule } from './schedule.ts';

const timerTables = defineTables(({ table, text, integer }) => ({
  /** When each timer ran last, for the timers whose schedule is recorded. */
  timers: table('kerf_timers', {
    name: text('name').primaryKey(),
    /** The end of the last run, in milliseconds since 1970; before the first run, the time at which the timer was first seen. */
    lastRunAt: integer('last_run_at').notNull(),
  }),
}));

export const timerMigrations: Migration[] = [
  {
    name: 'kerf-timers-0001',
    phase: 'expand',
    sqlite: 'CREATE TABLE kerf_timers (name TEXT PRIMARY KEY, last_run_at INTEGER NOT NULL) WITHOUT ROWID;',
  },
];

const rowOf = rowBy((reader) => timerTables(reader).timers, 'name');

async function recordRun(unit: Unit, name: string, lastRunAt: number): Promise<void> {
  const { timers } = timerTables(unit);
  const set = { lastRunAt };
  await unit.db.insert(timers).values({ name, lastRunAt }).onConflictDoUpdate({ target: timers.name, set });
}

/** Maximum time between two looks at the record, so that a clock that was set makes no timer late by more. */
const lookMs = 60_000;

interface TimerDependencies {
  readonly module: string;
  readonly timers: readonly Timer[];
  readonly work: <T>(task: (unit: ModuleUnit) => Promise<T>) => Promise<T>;
  /** Throws in a unit of a process that has lost leadership. */
  readonly fence: (unit: ModuleUnit) => Promise<void>;
  /** Gives the system's time, because the record outlives the process. */
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Runs each timer on its schedule, one run of it at a time. Reads and writes the record of the last run in the unit of the run, so that
 * processes that lead one after the other run it at most once per interval. A run that fails is tried again after its interval, or after
 * a minute if that is shorter. Returns a function that stops the timers and resolves when the runs in flight have ended.
 */
export function startTimers({ module, timers, work, fence, clock, log }: TimerDependencies): () => Promise<void> {
  let stopped = false;
  let lost = false;
  const failures = new FailureLog(log, clock);
  const cancels = new Map<Timer, Cancel>();
  const runs = new Map<Timer, Promise<void>>();

  const start = (timer: Timer) => {
    const { everyMs = lookMs } = timer;
    const next = recordedSchedule(timer);
    const arm = (delayMs: number) => {
      if (stopped) return;
      const begin = () => void runs.set(timer, run());
      cancels.set(timer, clock.after(Math.min(delayMs, lookMs), begin));
    };
    const inOwnTrace = (task: () => Promise<number>) =>
      inSpan(`timer ${timer.name}`, {}, ofService(module), (context) => withTrace(context, task));
    const run = async () => {
      try {
        const delayMs = await inOwnTrace(() =>
          work(async (unit) => {
            await fence(unit);
            if (next) return runIfDue(timer, next, unit, clock);
            return (await timer.run(unit)) === 'again' ? 0 : everyMs;
          }),
        );
        arm(delayMs);
      } catch (error) {
        failed(timer, error);
        arm(everyMs);
      }
    };
    arm(next ? 0 : everyMs);
  };
  const failed = ({ name: timer }: Timer, error: unknown) => {
    const message = 'a timer failed; it runs again within a minute';
    if (!(error instanceof LeadLost)) failures.add({ message, error, kind: timer, fields: { timer } });
    else if (!lost) log.warn({ timer }, error.message);
    lost ||= error instanceof LeadLost;
  };

  for (const timer of timers) start(timer);
  return async () => {
    stopped = true;
    for (const cancel of cancels.values()) cancel();
    await Promise.all(runs.values());
  };
}

/**
 * Runs a timer that is due by its record, and records the run in the same unit. Returns the time until the next run, in milliseconds.
 * Records a run that has more work left only with its last unit, so that the rest follows also after a crash.
 */
async function runIfDue(timer: Timer, next: NextRun, unit: ModuleUnit, clock: Clock): Promise<number> {
  const now = clock.now();
  const row = await rowOf(unit, timer.name);
  if (row && isPlausible(row.lastRunAt, next, now)) {
    const dueAt = next(row.lastRunAt);
    if (dueAt > now) return dueAt - now;
    if ((await timer.run(unit)) === 'again') return 0;
  }
  const lastRunAt = clock.now();
  await recordRun(unit, timer.name, lastRunAt);
  return next(lastRunAt) - lastRunAt;
}

/**
 * Returns whether a clock that is right may have written the record, or one that was a little ahead. A record further ahead than the
 * next two runs counts as a run now. Otherwise a timer would wait for years after a wrong clock was set back.
 */
function isPlausible(lastRunAt: number, next: NextRun, now: number): boolean {
  return lastRunAt <= next(next(now));
}
