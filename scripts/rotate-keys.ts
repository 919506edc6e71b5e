// npm run rotate-keys: creates new signing keys for sessions and services; signatures of the old keys stay valid.
import { app, run } from './programs.ts';
import { build } from './setup.mjs';
import { flag, readWords } from './words.ts';

const help = `Usage: npm run rotate-keys [-- --revoke]

Makes new signing keys for sessions and services in DATA_DIR (data). Running processes load them by themselves. All that
the two previous keys have signed stays valid. The command does not change INTERNAL_KEY: put the new secret before the old one there. An
identity from npm run identity is valid for two changes.

  --revoke  keeps no old key. All sessions end at once. Within two seconds, processes refuse service tokens of the old keys. A process
            with INTERNAL_IDENTITY trusts the old keys until you replace its file (npm run identity)`;

const { values } = readWords('rotate-keys', help, { revoke: flag }, 0);
build();
process.exit(run(app, '--rotate-keys', ...(values.revoke ? ['--revoke'] : [])));
