import type { Violation } from './architecture.ts';

/** Returns the violations as a text. For each violation, the text names its place, the mistake, and the cure. */
export function inText(violations: readonly Violation[]): string {
  return `${alike(violations).map(print).join('\n')}\n${summary(violations.length)}`;
}

/** Groups violations with the same solution. */
function alike(violations: readonly Violation[]): Violation[][] {
  const groups = Map.groupBy(violations, ({ rule, why, add }) => [rule, why, add].join());
  return [...groups.values()];
}

function print(violations: readonly Violation[]): string {
  const where = violations.map(({ from, line, to }) => `✗ ${from}${line ? `:${line}` : ''}${to ? ` → ${to}` : ''}`);
  const solution = violations
    .slice(0, 1)
    .flatMap(({ rule, why, add }) => [`  ${why}`, ...(add ? [`  Add: ${add}`] : []), `  (${rule})\n`]);
  return [...where, ...solution].join('\n');
}

function summary(count: number): string {
  return `boundaries: ${count} ${count === 1 ? 'violation' : 'violations'}; see above how to fix each one`;
}
