import { fork } from 'node:child_process';
import { check, type Found } from './check.ts';
import { firstDay } from './first-day.ts';
import type { Flaw } from './flaws.ts';

/** After so many that went wrong, a process looks for no more: they are mostly the same. */
const enough = 3;

interface Share {
  readonly seeds: readonly number[];
  readonly flaw?: Flaw;
}

interface Outcome {
  readonly histories: number;
  readonly found: readonly Found[];
}

/** Lives the histories of `seeds` in `count` processes, each a share of them. */
export async function shareOut(seeds: readonly number[], count: number, flaw?: Flaw): Promise<Outcome> {
  const shares = Array.from({ length: count }, (_, nth) => seeds.filter((_seed, index) => index % count === nth));
  const outcomes = await Promise.all(
    shares.filter((share) => share.length > 0).map((share) => send({ seeds: share, flaw })),
  );
  return {
    histories: outcomes.reduce((sum, { histories }) => sum + histories, 0),
    found: outcomes.flatMap(({ found }) => found).sort((a, b) => seeds.indexOf(a.seed) - seeds.indexOf(b.seed)),
  };
}

function send(share: Share): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const worker = fork(process.argv[1]!);
    worker.once('message', (outcome: Outcome) => resolve(outcome));
    worker.once('exit', (code) =>
      reject(new Error(`a process of the simulation ended with ${code} before it was done`)),
    );
    worker.send(share);
  });
}

/** What such a process does: takes its share, lives it, answers, ends. */
export async function serve(): Promise<void> {
  const { seeds, flaw } = await new Promise<Share>((resolve) => process.once('message', resolve));
  const found: Found[] = [];
  let histories = 0;
  for await (const each of check(seeds, await firstDay(), flaw)) {
    histories += 1;
    if (each) found.push(each);
    if (found.length === enough) break;
  }
  process.send!({ histories, found }, () => process.disconnect());
}
