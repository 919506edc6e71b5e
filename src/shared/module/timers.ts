import type { Cancel, Clock } from '../clock/index.ts';
import { LeadLost } from '../instances/index.ts';
import type { Log } from '../observability/index.ts';
import type { ModuleUnit, Timer } from './module.ts';

interface Parts {
  readonly timers: readonly Timer[];
  readonly work: <T>(task: (unit: ModuleUnit) => Promise<T>) => Promise<T>;
  /** Throws in the unit of a process that leads no more. */
  readonly fence: (unit: ModuleUnit) => Promise<void>;
  readonly clock: Clock;
  readonly log: Log;
}

/** Runs each timer after its interval, again and again, one run at a time. Returns the way to stop them. */
export function startTimers({ timers, work, fence, clock, log }: Parts): () => void {
  let stopped = false;
  const cancels = new Map<Timer, Cancel>();
  const arm = (timer: Timer, delayMs = timer.everyMs) => {
    if (stopped) return;
    const run = async () => {
      try {
        const outcome = await work(async (unit) => {
          await fence(unit);
          return timer.run(unit);
        });
        arm(timer, outcome === 'again' ? 0 : timer.everyMs);
      } catch (error) {
        if (error instanceof LeadLost) log.warn({ timer: timer.name }, error.message);
        else log.error({ error, timer: timer.name }, 'a timer failed; it runs again at its next time');
        arm(timer);
      }
    };
    cancels.set(
      timer,
      clock.after(delayMs, () => void run()),
    );
  };
  for (const timer of timers) arm(timer);
  return () => {
    stopped = true;
    for (const cancel of cancels.values()) cancel();
  };
}
