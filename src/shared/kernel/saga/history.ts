import type { Clock } from '../context/index.ts';

/** One entry in the history of a saga. `at` is in milliseconds since 1970. */
export interface Happening {
  /** Absent when the entry concerns the saga as a whole. */
  readonly step?: string;
  readonly what: 'done' | 'skipped' | 'failed' | 'taken back' | 'stuck' | 'resumed' | 'settled';
  readonly at: number;
  readonly error?: string;
  /** Number of times in a row; `at` is the last time. */
  readonly times?: number;
  /** The note of the operator that resolved the saga. */
  readonly note?: string;
}

/** Returns the entry of a step. */
export function happening(
  step: { readonly name: string } | undefined,
  what: Happening['what'],
  { clock }: { readonly clock: Clock },
  error?: string,
): Happening {
  return { step: step?.name, what, at: clock.now(), error };
}

const kept = 50;

/** Returns the history with one more entry. Counts repeated failures of a step in one entry. Drops the oldest of more than 50 entries. */
export function noted(history: readonly Happening[], happening: Happening): Happening[] {
  const last = history.at(-1);
  if (happening.what !== 'failed' || last?.what !== 'failed' || last.step !== happening.step) {
    return [...history, happening].slice(-kept);
  }
  return [...history.slice(0, -1), { ...happening, times: (last.times ?? 1) + 1 }];
}
