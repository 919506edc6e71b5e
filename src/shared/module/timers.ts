import type { Cancel, Clock } from '../clock/index.ts';
import type { Log } from '../observability/index.ts';
import type { ModuleUnit, Timer } from './module.ts';

/** Runs each timer after its interval, again and again, one run at a time. Returns the way to stop them. */
export function startTimers(
  timers: readonly Timer[],
  work: (task: (unit: ModuleUnit) => Promise<void>) => Promise<void>,
  clock: Clock,
  log: Log,
): () => void {
  let stopped = false;
  const cancels = new Map<Timer, Cancel>();
  const arm = (timer: Timer) => {
    if (stopped) return;
    const run = () =>
      void work((unit) => timer.run(unit))
        .catch((error) => log.error({ error, timer: timer.name }, 'a timer failed; it runs again at its next time'))
        .finally(() => arm(timer));
    cancels.set(timer, clock.after(timer.everyMs, run));
  };
  for (const timer of timers) arm(timer);
  return () => {
    stopped = true;
    for (const cancel of cancels.values()) cancel();
  };
}
