// npm run simulate -- --seed N --runs M: runs random histories of the real modules in a simulated world.
import { join } from 'node:path';
import { run } from './programs.ts';
import { bundle } from './setup.mjs';
import { wordsToPass } from './words.ts';

const help = `Usage: npm run simulate -- [--seed N] [--runs M] [--json] [--verbose] [--flaw "..."]

Runs histories of the real modules over a simulated scheduler, clock, bus, network and disks: messages are lost, doubled and
delayed, processes crash before and after commits, freeze and come back, clocks step, handlers, providers and disks hang or are slow,
events kill their process, clients hang up or run out of time. When nothing is in flight any more, the books of the modules must agree.

  --seed N     the first seed; alone, that one history
  --runs M     the number of histories, from seed N on (1000; before them, the seeds in test/simulation/seeds.json)
  --json       the outcome as one JSON object: histories, seconds, found
  --verbose    shows the history of a single seed also without a violation
  --flaw "..." plants a flaw, which the run must find: --flaw list names them

A history that ends with a violation is shown as a Mermaid sequence diagram. The same seed gives the same history.
Exits with 0 when no history has a violation, with 1 when one has, with 2 on a wrong option.`;

const words = wordsToPass(help, ['seed', 'runs', 'flaw', 'verbose']);
bundle('-c', 'test/simulation/rolldown.config.mjs');
process.exit(run(join('dist', 'simulate.mjs'), ...words));
