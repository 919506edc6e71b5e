// npm run bench -- [name …]: measures this project against the bare work, side by side in one run.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { externals } from './externals.mjs';
import { build, fail, install, installIn, node, root } from './setup.mjs';

const known = readdirSync(join(root, 'bench')).flatMap((file) => /^(\w+)\.bench\.ts$/.exec(file)?.[1] ?? []);
const words = process.argv.slice(2);
if (words.includes('--help')) {
  console.log(`Usage: npm run bench -- [${known.join('] [')}]\n\nWithout a name, all of them, one after the other.`);
  process.exit(0);
}
const unknown = words.find((word) => !known.includes(word));
if (unknown) fail(`there is no benchmark "${unknown}"; there are ${known.join(', ')}`);

install();
build();
installIn(join(root, 'bench', 'peers'));
const external = externals.flatMap((name) => ['--external', name]);
const rolldown = join(root, 'node_modules', 'rolldown', 'bin', 'cli.mjs');
for (const name of words.length > 0 ? words : known) {
  const folder = join('dist', 'bench', name);
  const bundle = [
    `bench/${name}.bench.ts`,
    '--platform',
    'node',
    '--format',
    'esm',
    '--dir',
    folder,
    '--logLevel',
    'silent',
    ...external,
  ];
  const bundled = spawnSync(node(), [rolldown, ...bundle], { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] });
  if (bundled.status !== 0) fail(`the benchmark "${name}" could not be bundled`);
  // V8 takes garbage for something that lasts, in one run and not in the next, and then takes twice the time.
  const flags = ['--expose-gc', '--no-allocation-site-pretenuring'];
  const { status } = spawnSync(node(), [...flags, join(folder, `${name}.bench.js`)], {
    cwd: root,
    stdio: 'inherit',
  });
  if (status !== 0) fail(`the benchmark "${name}" failed`);
}
