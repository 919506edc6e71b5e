import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { asked } from '../test/harness/usage.ts';
import { profiledKerf } from './orders/contestants.ts';
import { closedLoop, orders } from './orders/load.ts';
import { type Profile, partsOf } from './orders/parts.ts';

// Prints the largest parts of the CPU profile of one process under the orders of 64 clients.
const [clients, ms, shownParts] = [64, 10_000, 10];
/** Warm-up time. SQLite syncs each commit until the process knows that it is the only writer, which takes 15 s. */
const warmMs = 20_000;

mkdirSync(join('dist', 'bench'), { recursive: true });
const folder = mkdtempSync(join(process.cwd(), 'dist', 'bench', 'profile-'));
try {
  const kerf = await profiledKerf(folder);
  await closedLoop(kerf, orders, clients, warmMs);
  process.kill(kerf.pids[0]!, 'SIGUSR2');
  const { done, seconds } = await closedLoop(kerf, orders, clients, ms);
  const profile = (await asked(kerf.pids[0]!, folder, 'cpu.json')) as Profile;
  await kerf.stop();
  console.log(
    `\nOne process, ${clients} clients: ${Math.round(done.length / seconds)} orders a second while it is watched\n`,
  );
  print(partsOf(profile));
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function print(parts: ReadonlyMap<string, number>): void {
  const total = [...parts.values()].reduce((sum, each) => sum + each, 0);
  const sorted = [...parts].sort(([, a], [, b]) => b - a);
  const rest = sorted.slice(shownParts).reduce((sum, [, each]) => sum + each, 0);
  for (const [name, each] of [...sorted.slice(0, shownParts), ['all others', rest] as const])
    console.log(`  ${name.padEnd(42)} ${((each / total) * 100).toFixed(1).padStart(5)} %`);
}
