// npm run format: formats files and applies the safe fixes of the linter.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { install, node, root } from './setup.mjs';

const words = process.argv.slice(2);
if (words.includes('--help')) {
  console.log(`Usage: npm run format [-- path …]

Formats all files, or the named files, and applies the safe fixes of the linter.`);
  process.exit(0);
}

install();
const biome = join(root, 'node_modules', '@biomejs', 'biome', 'bin', 'biome');
const paths = words.length > 0 ? words : ['.'];
const { status } = spawnSync(node(), [biome, 'check', '--write', ...paths], { cwd: root, stdio: 'inherit' });
process.exit(status ?? 1);
