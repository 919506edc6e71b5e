// npm run proto: contracts for programs in other languages.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { build, fail, install, node, root } from './setup.mjs';

const words = process.argv.slice(2);
if (words.includes('--help')) {
  console.log(`Usage: npm run proto -- [module …]

Prints the contracts of these modules, or of all, as Protocol Buffers: for programs in other languages that call a module by gRPC
(MODULE_PAYMENTS=grpc), or serve one. Into a file: npm run --silent proto -- payments > payments.proto`);
  process.exit(0);
}
const option = words.find((word) => word.startsWith('-'));
if (option) fail(`unknown option "${option}"; see npm run proto -- --help`);

install();
build();
const { status } = spawnSync(node(), [join(root, 'dist', 'app.js'), `--proto=${words.join(',')}`], {
  stdio: 'inherit',
});
process.exit(status ?? 1);
