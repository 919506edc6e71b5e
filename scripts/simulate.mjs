// npm run simulate -- --seed N --runs M: lives random histories of the real modules over a simulated world.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fail, install, node, root } from './setup.mjs';

const words = process.argv.slice(2);
if (words.includes('--help')) {
  console.log(`Usage: npm run simulate -- [--seed N] [--runs M] [--json] [--verbose] [--flaw "..."]

Lives histories of the real modules over a simulated scheduler, clock, bus, network and disks: messages are lost, doubled and
delayed, processes crash before and after commits. When all has come to rest, the books of the modules must agree.

  --seed N     the first seed; alone, that one history
  --runs M     how many histories, from seed N on; 1000 unless said otherwise, and the seeds kept in
               test/simulation/seeds.json before them
  --json       the outcome as one JSON object: histories, seconds, found
  --verbose    shows the history of a single seed also when it ends well
  --flaw "..." plants a flaw, which is to be found: --flaw list names them

A history that does not end as it must is told as a Mermaid sequence diagram. The same seed is the same history.
Exits with 0 when every history ended as it must.`);
  process.exit(0);
}

install();
const output = join('dist', 'simulate.mjs');
const rolldown = join(root, 'node_modules', 'rolldown', 'bin', 'cli.mjs');
const bundle = [
  ...['test/simulation/main.ts', '--platform', 'node', '--format', 'esm', '--file', output, '--logLevel', 'silent'],
  ...['--external', 'better-sqlite3', '--external', '@node-rs/argon2'],
];
const bundled = spawnSync(node(), [rolldown, ...bundle], { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] });
if (bundled.status !== 0) fail('the simulation could not be bundled');
const { status } = spawnSync(node(), [output, ...words], { cwd: root, stdio: 'inherit' });
process.exit(status ?? 1);
