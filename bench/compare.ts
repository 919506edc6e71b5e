/** One implementation in a comparison. */
export interface Contestant {
  readonly name: string;
  /** Does the work `times` times. */
  run(times: number): Promise<void>;
}

export interface Comparison {
  readonly title: string;
  /** The first contestant is the baseline. */
  readonly contestants: readonly Contestant[];
  /** Amount of work in each turn. */
  readonly times: number;
  readonly rounds?: number;
}

/** The median, and the range of the middle 80 %. */
interface Spread {
  readonly median: number;
  readonly low: number;
  readonly high: number;
}

export interface Result {
  readonly name: string;
  readonly perSecond: number;
  /** Time relative to the first contestant's turn of the same round. */
  readonly ratio: Spread;
  /** Duration of each turn, in milliseconds. */
  readonly tookMs: readonly number[];
}

/**
 * Runs the contestants by turns in one process and compares them within each round, so that other load on the machine affects
 * all of them equally. Every second round uses the reverse order, so that no contestant always follows the same one and pays
 * for its leftovers.
 */
export async function compare({ title, contestants, times, rounds = 15 }: Comparison): Promise<Result[]> {
  for (const contestant of contestants) await contestant.run(Math.max(1, Math.round((times * rounds) / 20)));
  const took = contestants.map(() => [] as number[]);
  for (let round = 0; round < rounds; round++) {
    const order = contestants.map((_, index) => (index + round) % contestants.length);
    if (round % 2 === 1) order.reverse();
    for (const index of order) {
      const start = performance.now();
      await contestants[index]!.run(times);
      took[index]!.push(performance.now() - start);
    }
  }
  const results = contestants.map(({ name }, index) => {
    const tookMs = took[index]!;
    return {
      name,
      perSecond: (times / spreadOf(tookMs).median) * 1_000,
      ratio: spreadOf(tookMs.map((each, round) => each / took[0]![round]!)),
      tookMs,
    };
  });
  print(title, results);
  return results;
}

/** Prints the throughput of `one` relative to each of the others, from the ratios of all rounds. */
export function sayHowMuchMore(results: readonly Result[], one: string, others: readonly string[]): void {
  const found = results.find(({ name }) => name === one);
  for (const other of others) {
    const base = results.find(({ name }) => name === other);
    if (!found || !base) continue;
    const { median, low, high } = spreadOf(base.tookMs.map((each, round) => each / found.tookMs[round]!));
    console.log(`  ${one} does ${median.toFixed(2)} × what ${other} does (${low.toFixed(2)}–${high.toFixed(2)})`);
  }
}

function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.round((sorted.length - 1) * share)]!;
  return { median: at(0.5), low: at(0.1), high: at(0.9) };
}

function print(title: string, results: readonly Result[]): void {
  const width = Math.max(...results.map(({ name }) => name.length));
  console.log(`\n${title}`);
  for (const { name, perSecond, ratio } of results) {
    const { median, low, high } = ratio;
    const rate = Math.round(perSecond).toLocaleString('en').padStart(11);
    console.log(
      `  ${name.padEnd(width)} ${rate}/s   ${median.toFixed(2)} × the time (${low.toFixed(2)}–${high.toFixed(2)})`,
    );
  }
}

/** Runs `task` `times` times with `width` in flight at once. */
export async function concurrently(times: number, width: number, task: () => Promise<unknown>): Promise<void> {
  let left = times;
  const worker = async () => {
    while (left-- > 0) await task();
  };
  await Promise.all(Array.from({ length: width }, worker));
}
