// kerf start: builds after changes, and runs the program.
import { type Define, wordsOf } from './cli/command.ts';
import { app } from './programs.ts';
import { build } from './setup.mjs';
import { supervise } from './supervise.mjs';

export const define: Define = (command) =>
  command
    .description(
      'Builds after changes, and runs the system. Settings come from the environment and topology.yaml; the README lists them.',
    )
    .option('--only <modules>', 'runs these modules alone, separated by commas, as a service for the others')
    .option('--accept-loss <modules>', 'starts once although these modules lost data, and keeps what is left of it')
    .json('prints what runs where as JSON')
    .action((options) => {
      build();
      supervise([app, ...wordsOf(options)]);
    });
