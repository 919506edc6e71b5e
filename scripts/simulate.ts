// kerf simulate --seed N --runs M: runs random histories of the real modules in a simulated world.
import { join } from 'node:path';
import { type Define, wordsOf } from './cli/command.ts';
import { run } from './programs.ts';
import { bundle } from './setup.mjs';

export const define: Define = (command) =>
  command
    .description(`Runs histories of the real modules over a simulated scheduler, clock, bus, network and disks: messages are lost, doubled and
delayed, processes crash before and after commits, freeze and come back, clocks step, handlers, providers and disks hang or are slow,
events kill their process, clients hang up or run out of time. When nothing is in flight any more, the books of the modules must agree.`)
    .option('--seed <number>', 'the first seed; alone, that one history')
    .option(
      '--runs <number>',
      'the number of histories, from --seed on (1000; before them, the seeds in test/simulation/seeds.json)',
    )
    .option('--verbose', 'shows the history of a single seed also without a violation')
    .option('--flaw <name>', 'plants a flaw, which the run must find: --flaw list names them')
    .json('prints the outcome as one JSON object: histories, seconds, found')
    .note(`A history that ends with a violation is shown as a Mermaid sequence diagram. The same seed gives the same history. Exits with 0
when no history has a violation, with 1 when one has.`)
    .action((options) => {
      bundle('-c', 'test/simulation/rolldown.config.mjs');
      process.exit(run(join('dist', 'simulate.mjs'), ...wordsOf(options)));
    });
