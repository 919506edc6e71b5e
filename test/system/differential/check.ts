import fc from 'fast-check';
import { liveThrough } from './compare.ts';
import { histories, type Step, tell } from './steps.ts';
import type { World } from './world.ts';

export interface CheckOptions {
  runs: number;
  /** Time limit in milliseconds. After it shrinking stops with the smallest history found. */
  withinMs: number;
  seed?: number;
  /** fast-check's path: the position in the seed's histories to start from. */
  path?: string;
}

/** Runs random histories in all worlds. Throws with the smallest history that shows a difference, and the way to repeat it. */
export async function checkHistories(worlds: readonly World[], options: CheckOptions): Promise<void> {
  const { runs: numRuns, withinMs: interruptAfterTimeLimit, seed, path } = options;
  const property = fc.asyncProperty(histories, (steps) => liveThrough(steps, worlds));
  const outcome = await fc.check(property, {
    numRuns,
    interruptAfterTimeLimit,
    ...(seed !== undefined && { seed }),
    ...(path && { path }),
  });
  if (outcome.failed && outcome.counterexample) throw new Error(explain(outcome));
}

function explain({ counterexample, errorInstance, seed, counterexamplePath }: fc.RunDetails<[Step[]]>): string {
  const history = counterexample![0].map((step, index) => `  ${index + 1}. ${tell(step)}`);
  const replay = `SEED=${seed} REPLAY_PATH=${counterexamplePath} npm test -- differential`;
  const difference = errorInstance instanceof Error ? errorInstance.message : String(errorInstance);
  return [difference, 'The history:', ...history, 'See it again:', `  ${replay}`].join('\n');
}
