import type { Clock } from './clock.ts';

/**
 * What `task` comes to. Rejects with what `late` returns when it takes longer than `limitMs`: what the task comes to after that
 * counts for nothing.
 */
export function withinLimit<T>(clock: Clock, limitMs: number, late: () => Error, task: () => Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancel = clock.after(limitMs, () => reject(late()));
    const begun = async () => task();
    begun().then(resolve, reject).finally(cancel);
  });
}
