// npm run bench -- [name …]: compares this project with the minimum work and with other frameworks, in one run.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { externals } from './bundling.ts';
import { run } from './programs.ts';
import { build, bundle, fail, installIn, root } from './setup.mjs';
import { readWords } from './words.ts';

const known = readdirSync(join(root, 'bench')).flatMap((file) => /^(\w+)\.bench\.ts$/.exec(file)?.[1] ?? []);
const help = `Usage: npm run bench -- [${known.join('] [')}]\n\nWithout a name, runs all of them, one after the other.`;

const { positionals: asked } = readWords('bench', help, {});
const unknown = asked.find((name) => !known.includes(name));
if (unknown) fail(`there is no benchmark "${unknown}"; there are ${known.join(', ')}`);

build();
installIn(join(root, 'bench', 'peers'));
const external = externals.flatMap((name) => ['--external', name]);
for (const name of asked.length > 0 ? asked : known) {
  const folder = join('dist', 'bench', name);
  bundle(`bench/${name}.bench.ts`, '--platform', 'node', '--format', 'esm', '--dir', folder, ...external);
  // In some runs V8 promotes short-lived objects to the old generation, which doubles the time.
  const flags = ['--expose-gc', '--no-allocation-site-pretenuring'];
  if (run(...flags, join(folder, `${name}.bench.js`)) !== 0) fail(`the benchmark "${name}" failed`);
}
