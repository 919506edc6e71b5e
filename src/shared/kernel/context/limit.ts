import type { Clock } from './clock.ts';

/**
 * Runs `task` and resolves with its result. Rejects with the error from `late` after `limitMs`; a later result is ignored.
 */
export function withinLimit<T>(clock: Clock, limitMs: number, late: () => Error, task: () => Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancel = clock.after(limitMs, () => reject(late()));
    const begun = async () => task();
    begun().then(resolve, reject).finally(cancel);
  });
}
