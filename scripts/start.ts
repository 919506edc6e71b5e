// kerf start: builds after changes, and runs the program.
import { type Define, wordsOf } from './cli/command.ts';
import { app } from './programs.ts';
import { build, readEnvFile } from './setup.mjs';
import { supervise } from './supervise.mjs';

export const define: Define = (command) =>
  command
    .description(
      'Builds after changes, and runs the system. Settings come from the environment, the file .env and topology.yaml; docs/settings.md lists them.',
    )
    .option('--only <modules>', 'runs these modules alone, separated by commas, as a service for the others')
    .option('--accept-loss <modules>', 'starts once although these modules lost data, and keeps what is left of it')
    .option('--inspect [where]', 'opens the inspector of Node.js, at a port or host:port')
    .option('--inspect-wait [where]', 'the same, and waits for a debugger')
    .json('prints what runs where as JSON')
    .action(({ inspect, inspectWait, ...options }) => {
      build();
      readEnvFile();
      const forNode = Object.entries({ inspect, inspectWait }).filter(([, where]) => where !== undefined);
      supervise([...wordsOf(Object.fromEntries(forNode)), app, ...wordsOf(options)]);
    });
