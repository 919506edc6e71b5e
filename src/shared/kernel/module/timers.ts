import type { Cancel, Clock } from '../context/index.ts';
import { LeadLost } from '../leader-election/index.ts';
import { FailureLog, type Log } from '../telemetry/index.ts';
import type { ModuleUnit, Timer } from './module.ts';

interface TimerDependencies {
  readonly timers: readonly Timer[];
  readonly work: <T>(task: (unit: ModuleUnit) => Promise<T>) => Promise<T>;
  /** Throws in a unit of a process that has lost leadership. */
  readonly fence: (unit: ModuleUnit) => Promise<void>;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Runs each timer repeatedly after its interval, one run of it at a time. Returns a function that stops the timers and resolves
 * when the runs in flight have ended.
 */
export function startTimers({ timers, work, fence, clock, log }: TimerDependencies): () => Promise<void> {
  let stopped = false;
  let lost = false;
  const failures = new FailureLog(log, clock);
  const cancels = new Map<Timer, Cancel>();
  const runs = new Map<Timer, Promise<void>>();

  const arm = (timer: Timer, delayMs: number) => {
    if (stopped) return;
    const begin = () => void runs.set(timer, run(timer));
    cancels.set(timer, clock.after(delayMs, begin));
  };
  const run = async (timer: Timer) => {
    try {
      const outcome = await work(async (unit) => {
        await fence(unit);
        return timer.run(unit);
      });
      arm(timer, outcome === 'again' ? 0 : timer.everyMs);
    } catch (error) {
      failed(timer, error);
      arm(timer, timer.everyMs);
    }
  };
  const failed = ({ name: timer }: Timer, error: unknown) => {
    const message = 'a timer failed; it runs again at its next time';
    if (!(error instanceof LeadLost)) failures.add({ message, error, kind: timer, fields: { timer } });
    else if (!lost) log.warn({ timer }, error.message);
    lost ||= error instanceof LeadLost;
  };

  for (const timer of timers) arm(timer, timer.everyMs);
  return async () => {
    stopped = true;
    for (const cancel of cancels.values()) cancel();
    await Promise.all(runs.values());
  };
}
