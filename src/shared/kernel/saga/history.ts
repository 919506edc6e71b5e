/** What became of a step, or of the saga as a whole, at a time in milliseconds since 1970. */
export interface Happening {
  /** None when it is of the saga as a whole. */
  readonly step?: string;
  readonly what: 'done' | 'skipped' | 'failed' | 'taken back' | 'stuck' | 'resumed' | 'settled';
  readonly at: number;
  readonly error?: string;
  /** How often in a row, the last time `at`. */
  readonly times?: number;
  /** What the person who settled it says. */
  readonly note?: string;
}

const kept = 50;

/** The history with one thing more. The same failure again is counted, not repeated; of a long one the beginning is forgotten. */
export function noted(history: readonly Happening[], happening: Happening): Happening[] {
  const last = history.at(-1);
  if (happening.what !== 'failed' || last?.what !== 'failed' || last.step !== happening.step) {
    return [...history, happening].slice(-kept);
  }
  return [...history.slice(0, -1), { ...happening, times: (last.times ?? 1) + 1 }];
}
