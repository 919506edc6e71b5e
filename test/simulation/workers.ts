import { fork } from 'node:child_process';
import { check, type Found } from './check.ts';
import { firstDay } from './first-day.ts';
import type { Flaw } from './flaws.ts';

/** Number of failed histories after which a process stops. More would mostly show the same failure. */
const enough = 3;

interface Share {
  readonly seeds: readonly number[];
  readonly flaw?: Flaw;
}

interface Outcome {
  readonly histories: number;
  readonly found: readonly Found[];
}

/** Runs the histories of `seeds` in `count` processes. Each process gets an equal share. */
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

/** Runs in a worker process: receives a share, runs its histories, sends the outcome and disconnects. */
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
