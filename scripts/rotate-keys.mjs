// npm run rotate-keys: new signing keys for sessions and services; signatures of the old keys stay valid.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { build, install, node, root } from './setup.mjs';

if (process.argv.slice(2).includes('--help')) {
  console.log(`Usage: npm run rotate-keys [-- --revoke]

Makes new signing keys for sessions and services in DATA_DIR (data). Running processes take them up by themselves; what the two
keys before have signed stays valid. Keys that INTERNAL_KEY gives are not touched: put the new secret before the old one there. Identities that
npm run identity has made are good for two changes.

  --revoke  keeps no old key. All sessions end at once. Within two seconds, processes refuse service tokens of the old keys. A process
            with INTERNAL_IDENTITY trusts the old keys until you replace its file (npm run identity)`);
  process.exit(0);
}

install();
build();
const { status } = spawnSync(node(), [join(root, 'dist', 'app.js'), '--rotate-keys', ...process.argv.slice(2)], {
  stdio: 'inherit',
});
process.exit(status ?? 1);
