// kerf identity: prints the identity file for a process that runs modules on another machine.
import type { Define } from './cli/command.ts';
import { app, run } from './programs.ts';
import { build } from './setup.mjs';

export const define: Define = (command) =>
  command
    .description(`Prints an identity for a process that runs these modules on another machine: npx kerf identity payments > payments.identity. Set
INTERNAL_IDENTITY to the file there. Anyone with the file can call as these modules, and as nothing else: keep it secret. It is valid for
a year, and for two changes of keys (npx kerf rotate-keys).`)
    .argument('<module...>', 'the modules, such as payments')
    .action((modules: readonly string[]) => {
      build();
      process.exit(run(app, `--identity=${modules.join(',')}`));
    });
