import type { Usage } from '../../test/harness/usage.ts';
import type { Load } from './load.ts';

/** One contestant's turn in one round. */
export interface Turn {
  readonly load: Load;
  readonly usage: Usage;
}

/** Reports the contestants' results. Compares each contestant with the first one, round by round. */
export class Report {
  private readonly title: string;
  private readonly turns: ReadonlyMap<string, readonly Turn[]>;

  constructor(title: string, turns: ReadonlyMap<string, readonly Turn[]>) {
    this.title = title;
    this.turns = turns;
  }

  print(): void {
    console.log(`\n${this.title}`);
    console.log(
      row('', ['done/s', 'ratio', 'p50 ms', 'p99 ms', 'worst', 'cpu ms', 'commits', 'prepared', 'kB', 'loop p99']),
    );
    const first = [...this.turns.values()][0]!;
    for (const [name, turns] of this.turns) {
      console.log(row(name, [...this.#rates(turns, first), ...times(turns), ...costs(turns)]));
      for (const line of notes(turns)) console.log(`    ${line}`);
    }
  }

  #rates(turns: readonly Turn[], first: readonly Turn[]): string[] {
    const rates = turns.map(rate);
    const ratios = rates.map((each, round) => each / rate(first[round]!)).sort((a, b) => a - b);
    return [
      Math.round(median(rates)).toLocaleString('en'),
      `${median(ratios).toFixed(2)} (${ratios[0]!.toFixed(2)}–${ratios.at(-1)!.toFixed(2)})`,
    ];
  }
}

function rate({ load: { done, seconds } }: Turn): number {
  return done.length / seconds;
}

function times(turns: readonly Turn[]): string[] {
  const all = turns.flatMap(({ load }) => load.done).sort((a, b) => a - b);
  return [0.5, 0.99, 1].map((share) => (all.length === 0 ? '–' : quantile(all, share).toFixed(1)));
}

/** Returns the costs of each successful request. */
function costs(turns: readonly Turn[]): string[] {
  const each = (of: (usage: Usage) => number) => median(turns.map(({ load, usage }) => of(usage) / load.done.length));
  return [
    each(({ cpuMs }) => cpuMs).toFixed(2),
    each(({ commits }) => commits).toFixed(2),
    each(({ prepared }) => prepared).toFixed(1),
    each(({ bytes }) => bytes / 1_024).toFixed(1),
    median(turns.map(({ usage }) => usage.loopDelayMs)).toFixed(1),
  ];
}

function notes(turns: readonly Turn[]): string[] {
  const refused = turns.flatMap(({ load }) => load.refused);
  const failures = turns.flatMap(({ load }) => load.failures);
  const waits = refused.map(({ ms }) => ms).sort((a, b) => a - b);
  return [
    ...(refused.length === 0
      ? []
      : [
          `${refused.length} were refused, p99 after ${quantile(waits, 0.99).toFixed(1)} ms, ${refused.filter(({ retryAfter }) => retryAfter).length} with Retry-After`,
        ]),
    ...(failures.length === 0 ? [] : [`${failures.length} failed, such as: ${failures[0]}`]),
  ];
}

export function median(values: readonly number[]): number {
  return quantile(
    [...values].sort((a, b) => a - b),
    0.5,
  );
}

function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!;
}

const widths = [8, 18, 9, 9, 9, 8, 8, 9, 8, 9];

function row(name: string, cells: readonly string[]): string {
  return `  ${name.padEnd(18)}${cells.map((cell, at) => ` ${cell.padStart(widths[at]!)}`).join('')}`;
}
