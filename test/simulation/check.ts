import { Chronicle } from './chronicle.ts';
import type { FirstDay } from './first-day.ts';
import type { Flaw } from './flaws.ts';
import { live } from './history.ts';

/** A history that violates an invariant, with its diagram. */
export interface Found {
  readonly seed: number;
  readonly violations: readonly string[];
  readonly mermaid: string;
}

/** Runs the history of `seed` and records its diagram. */
export async function tell(seed: number, first: FirstDay, flaw?: Flaw): Promise<Found> {
  const chronicle = new Chronicle();
  const violations = await live(seed, first, flaw, chronicle);
  const mermaid = chronicle.toMermaid(violations.join(' '));
  return { seed, violations: violations.map((each) => chronicle.inWords(each)), mermaid };
}

/** Runs the history of each seed. Runs a history with violations again, to record its diagram. */
export async function* check(seeds: Iterable<number>, first: FirstDay, flaw?: Flaw): AsyncGenerator<Found | undefined> {
  for (const seed of seeds) {
    const violations = await live(seed, first, flaw);
    yield violations.length > 0 ? await tell(seed, first, flaw) : undefined;
  }
}

export function report({ seed, violations, mermaid }: Found): string {
  const what = violations.map((each) => `  ${each}`);
  return [
    `seed ${seed}:`,
    ...what,
    '',
    '```mermaid',
    mermaid,
    '```',
    '',
    `See it again: npx kerf simulate --seed ${seed}`,
  ].join('\n');
}
