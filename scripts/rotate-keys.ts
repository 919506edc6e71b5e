// kerf rotate-keys: creates new signing keys for sessions and services; signatures of the old keys stay valid.
import type { Define } from './cli/command.ts';
import { app, run } from './programs.ts';
import { build } from './setup.mjs';

export const define: Define = (command) =>
  command
    .description(`Makes new signing keys for sessions and services in DATA_DIR (data). Running processes load them by themselves. All that the
two previous keys have signed stays valid. The command does not change INTERNAL_KEY: put the new secret before the old one there. An
identity from npx kerf identity is valid for two changes.`)
    .option(
      '--revoke',
      'keeps no old key. All sessions end at once. Within two seconds, processes refuse service tokens of the old keys. A process with INTERNAL_IDENTITY trusts the old keys until you replace its file (npx kerf identity)',
    )
    .action(({ revoke }: { readonly revoke?: true }) => {
      build();
      process.exit(run(app, '--rotate-keys', ...(revoke ? ['--revoke'] : [])));
    });
