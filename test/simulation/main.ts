import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { type Found, report, tell } from './check.ts';
import { firstDay } from './first-day.ts';
import { type Flaw, flaws } from './flaws.ts';
import kept from './seeds.json' with { type: 'json' };
import { serve, shareOut } from './workers.ts';

if (process.send) await serve();
else process.exitCode = await main();

async function main(): Promise<number> {
  const { seed, runs, json, verbose, flaw } = readOptions();
  if (flaw === 'list') {
    console.log(flaws.join('\n'));
    return 0;
  }
  if (flaw !== undefined && !flaws.includes(flaw as Flaw))
    return refuse(`there is no flaw "${flaw}"; --flaw list names them`);
  const numbers = [seed ?? '1', runs ?? '1000'];
  if (!numbers.every((each) => /^\d{1,9}$/.test(each)))
    return refuse('--seed and --runs must be whole numbers of at most 9 digits');
  const [first = 1, count = 1_000] = numbers.map(Number);
  if (seed !== undefined && runs === undefined) return one(first, flaw as Flaw, verbose);

  const startedAt = performance.now();
  const seeds = [...kept.map((each) => each.seed), ...Array.from({ length: count }, (_, index) => first + index)];
  const { histories, found } = await shareOut(seeds, availableParallelism(), flaw as Flaw);
  const seconds = Math.round((performance.now() - startedAt) / 100) / 10;
  if (json) console.log(JSON.stringify({ histories, seconds, found }));
  else say(histories, seconds, found);
  return found.length === 0 ? 0 : 1;
}

function readOptions() {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  try {
    return parseArgs({ options: { seed: text, runs: text, flaw: text, json: flag, verbose: flag } }).values;
  } catch (error) {
    process.exit(refuse((error as Error).message.split(/\.\s/)[0]!));
  }
}

function refuse(why: string): number {
  console.error(`kerf: ${why}; see npx kerf simulate --help`);
  return 2;
}

async function one(seed: number, flaw: Flaw | undefined, verbose: boolean | undefined): Promise<number> {
  const told = await tell(seed, await firstDay(), flaw);
  const well = told.violations.length === 0;
  console.log(well && !verbose ? `the history of seed ${seed} ended as it must` : report(told));
  return well ? 0 : 1;
}

function say(histories: number, seconds: number, found: readonly Found[]): void {
  if (found[0]) console.log(`${report(found[0])}\n`);
  for (const { seed, violations } of found.slice(1)) console.log(`seed ${seed}: ${violations.join('; ')}`);
  const outcome =
    found.length === 0
      ? 'all ended as they must'
      : `seeds that did not end as they must: ${found.map(({ seed }) => seed).join(', ')}`;
  console.log(`${histories} histories in ${seconds} s: ${outcome}`);
}
