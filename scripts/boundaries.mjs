// npm run boundaries: compares the imports with the architecture in .dependency-cruiser.js.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fail, install, node, root } from './setup.mjs';

const words = process.argv.slice(2);
if (words.includes('--help')) {
  console.log(`Usage: npm run boundaries -- [--json]

Compares every import under src/ with the architecture in .dependency-cruiser.js and in each module.json, refuses
every other way to load a file, and says for each violation what is wrong and what to do.

  --json   the same as one JSON object: ok, counts, rules, violations

Exits with 0 when every border holds.`);
  process.exit(0);
}
const unknown = words.find((word) => word !== '--json');
if (unknown) fail(`there is no option "${unknown}"; --help says what there is`);

install();
const main = join(root, 'scripts', 'boundaries', 'main.mjs');
const { status } = spawnSync(node(), [main, ...words], { cwd: root, stdio: 'inherit' });
process.exit(status ?? 1);
