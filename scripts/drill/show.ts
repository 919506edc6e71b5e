import type { Counts } from './load.ts';
import type { LayoutSeen, PhaseSeen } from './run.ts';
import type { Placements } from './system.ts';

const width = 30;
const names = { orders: 'orders', posts: 'board', signUps: 'sign-ups' } as const;
const kinds = ['orders', 'posts', 'signUps'] as const;

/** Returns the results of a phase: a bar for each kind of request. */
export function showPhase({ name, about, ...seen }: PhaseSeen): void {
  console.log(`\n${name.toUpperCase()}  ${about}`);
  for (const what of kinds) {
    const { ok, waiting, failed, p50Ms, longestMs } = seen[what];
    const told = [`${ok} done`, waiting && `${waiting} told to wait`, failed && `${failed} FAILED`].filter(Boolean);
    console.log(
      `  ${names[what].padEnd(9)} ${bar(seen[what])}  ${told.join(', ')}  (p50 ${p50Ms} ms, longest ${longestMs} ms)`,
    );
  }
}

export function showLayout(name: string, placements: Placements): void {
  const out = Object.entries(placements).map(([setting, placement]) => `${setting}=${placement}`);
  console.log(`\n=== ${name}: ${out.length > 0 ? out.join(', ') : 'everything in one process'} ===`);
}

export function showVerdict({ lives, confirmedLater, broken }: LayoutSeen): void {
  console.log();
  if (!lives) console.log('the home process died, and every module in it');
  if (confirmedLater !== undefined) console.log(`${confirmedLater} orders that were told to wait were confirmed later`);
  for (const what of broken) console.log(`  ✗ expected, and not seen: ${what}`);
  if (broken.length === 0)
    console.log(confirmedLater === undefined ? 'the system behaved as expected' : 'nothing failed, nothing was lost');
}

/** █ served, ░ waiting, ✗ failed. */
function bar({ ok, waiting, failed }: Counts): string {
  const all = Math.max(1, ok + waiting + failed);
  const cells = (count: number) => (count === 0 ? 0 : Math.max(1, Math.round((count / all) * width)));
  const [waits, fails] = [cells(waiting), cells(failed)];
  return `${'█'.repeat(Math.max(0, width - waits - fails))}${'░'.repeat(waits)}${'✗'.repeat(fails)}`;
}
