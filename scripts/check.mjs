// npm run check: types, lint and formatting, boundaries; all of them, then one verdict.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fail, install, node, root } from './setup.mjs';

const [word] = process.argv.slice(2);
if (word === '--help') {
  console.log(`Usage: npm run check

Types, lint and formatting, boundaries: all of them, then one verdict. Exits with 0 when all passed.`);
  process.exit(0);
}
if (word !== undefined) fail(`unknown word "${word}": all is checked; see npm run check -- --help`);

install();

const tool = (...path) => join(root, 'node_modules', ...path);
const checks = [
  ['types', [tool('typescript', 'bin', 'tsc'), '-p', '.']],
  ['lint and formatting', [tool('@biomejs', 'biome', 'bin', 'biome'), 'check', '--error-on-warnings', '.']],
  ['boundaries', [join(root, 'scripts', 'boundaries.mjs')]],
];

const failed = checks.filter(([name, words]) => {
  console.log(`\n> ${name}`);
  return spawnSync(node(), words, { cwd: root, stdio: 'inherit' }).status !== 0;
});
if (failed.some(([name]) => name.startsWith('lint'))) console.log('\nnpm run format cures what can be cured by itself');
console.log(failed.length === 0 ? '\nall checks passed' : `\nfailed: ${failed.map(([name]) => name).join(', ')}`);
process.exit(failed.length === 0 ? 0 : 1);
