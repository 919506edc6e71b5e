// npm run rotate-keys: new signing keys for sessions and services; what the old ones have signed stays valid.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { build, install, node, root } from './setup.mjs';

install();
build();
const { status } = spawnSync(node(), [join(root, 'dist', 'app.js'), '--rotate-keys', ...process.argv.slice(2)], {
  stdio: 'inherit',
});
process.exit(status ?? 1);
