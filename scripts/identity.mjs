// npm run identity: prints the identity file for a process that runs modules on another machine.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { build, fail, install, node, root } from './setup.mjs';

const words = process.argv.slice(2);
if (words.includes('--help') || words.length === 0) {
  console.log(`Usage: npm run --silent identity -- module … > payments.identity

Prints an identity for a process that runs these modules on another machine. Set INTERNAL_IDENTITY to the file there. Anyone with
the file can call as these modules, and as nothing else: keep it secret.
It is good for a year, and for two changes of keys (npm run rotate-keys).`);
  process.exit(0);
}
const option = words.find((word) => word.startsWith('-'));
if (option) fail(`unknown option "${option}"; see npm run identity -- --help`);

install();
build();
const { status } = spawnSync(node(), [join(root, 'dist', 'app.js'), `--identity=${words.join(',')}`], {
  stdio: 'inherit',
});
process.exit(status ?? 1);
