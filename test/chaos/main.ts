import { readOptions } from './options.ts';
import { inWords } from './results.ts';
import { type Outcome, runChaos, type StoryEvent } from './run.ts';

/** Maximum number of printed violations. One stuck saga appears in many books, so the first lines suffice. */
const maxShown = 30;

process.exitCode = await main();

async function main(): Promise<number> {
  const given = readOptions(process.argv.slice(2));
  if (typeof given === 'string') return refuse(given);
  const { seed, minutes, json, bus } = given;
  const durationMs = Math.round(minutes * 60_000);
  const story: StoryEvent[] = [];
  const say = (line: string) => json || console.log(line);
  const again = `npx kerf chaos --seed ${seed} --minutes ${minutes}`;
  say(`chaos of seed ${seed}: ${minutes} minutes, every module in a process of its own; the same plan again: ${again}`);
  const interrupt = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => interrupt.abort());
  const tell = (event: StoryEvent) => {
    story.push(event);
    say(lineOf(event));
  };
  const outcome = await runChaos({ seed, durationMs, bus, signal: interrupt.signal, tell });
  if (interrupt.signal.aborted) return interrupted();
  if (json) console.log(JSON.stringify({ seed, minutes, story, ...outcome }));
  else sayOutcome(outcome);
  return outcome.violations.length === 0 ? 0 : 1;
}

function refuse(why: string): number {
  console.error(`kerf: ${why}; see npx kerf chaos --help`);
  return 2;
}

function interrupted(): number {
  console.error('kerf: interrupted; every process is stopped, and the books were not compared');
  return 130;
}

function lineOf({ atMs, what, seen }: StoryEvent): string {
  const at = `${(atMs / 1_000).toFixed(1)} s`.padStart(9);
  return seen ? `${' '.repeat(11)}${inWords(seen)}` : `${at}  ${what}`;
}

function sayOutcome({ leftOut, seen, orders, homeStarts, violations, kept }: Outcome): void {
  console.log(`\nin all: ${inWords(seen)}`);
  console.log(`${orders} orders were answered; the home process was started ${homeStarts} times`);
  if (leftOut.length > 0) console.log(`not tried here: ${leftOut.join('; ')}`);
  const counted = [...Map.groupBy(violations, (violation) => violation)].map(([what, { length }]) =>
    length === 1 ? what : `${what} (${length} times)`,
  );
  for (const violation of counted.slice(0, maxShown)) console.log(`  ✗ ${violation}`);
  if (counted.length > maxShown) console.log(`  … and ${counted.length - maxShown} more; --json has them all`);
  if (kept) console.log(`data and logs are kept in ${kept}`);
  console.log(violations.length === 0 ? 'nothing was lost, doubled or got stuck' : `${violations.length} violations`);
}
