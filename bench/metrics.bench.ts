import { execFileSync } from 'node:child_process';
import { metrics } from '../src/shared/control/metrics/index.ts';
import { Cancellation, runInContext } from '../src/shared/kernel/context/index.ts';
import { inProcess } from './call/callables.ts';
import { concurrently } from './compare.ts';
import { input } from './sample.ts';

// What metrics add to a call within the process. Each variant runs in processes of its own, by turns: in one process, V8 optimizes the
// host that came first. Processor time counts, so that other work on the machine matters little.

const widths = [1, 100];
const [, program = '', variant] = process.argv;
if (variant) await measure(variant === 'metrics');
else compareVariants();

/** Prints the processor time of a call in nanoseconds, for each width. */
async function measure(withMetrics: boolean): Promise<void> {
  const callable = await inProcess(withMetrics ? [metrics()] : []);
  const nanoseconds: number[] = [];
  for (const width of widths) {
    const served = { requestId: 'bench-request', caller: 'bench', deadline: Date.now() + 3_600_000 };
    const context = { ...served, cancellation: new Cancellation() };
    const run = (times: number) => runInContext(context, () => concurrently(times, width, () => callable.call(input)));
    await run(100_000);
    const took: number[] = [];
    for (let round = 0; round < 150; round++) {
      const before = process.cpuUsage();
      await run(3_000);
      const { user, system } = process.cpuUsage(before);
      took.push((user + system) / 3);
    }
    nanoseconds.push(medianOf(took));
  }
  console.log(JSON.stringify(nanoseconds));
  process.exit();
}

function compareVariants(): void {
  const took = { without: [] as number[][], metrics: [] as number[][] };
  for (let round = 0; round < 12; round++)
    for (const each of ['without', 'metrics'] as const)
      took[each].push(
        JSON.parse(execFileSync(process.execPath, [...process.execArgv, program, each], { encoding: 'utf8' })),
      );
  console.log('\nA call within the process');
  for (const [index, width] of widths.entries()) {
    // Every process measures each width.
    const [without, metrics] = [took.without, took.metrics].map((runs) => medianOf(runs.map((run) => run[index]!)));
    const ratio = (metrics! / without!).toFixed(3);
    console.log(
      `  ${width} at a time: ${without!.toFixed(0)} ns; with metrics ${metrics!.toFixed(0)} ns, ${ratio} × the time`,
    );
  }
}

function medianOf(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)]!;
}
