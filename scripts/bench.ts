// kerf bench: compares this project with the minimum work and with other frameworks, in one run.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { externals } from './bundling.ts';
import type { Define } from './cli/command.ts';
import { run } from './programs.ts';
import { build, bundle, fail, installIn, root } from './setup.mjs';

const known = readdirSync(join(root, 'bench')).flatMap((file) => /^(\w+)\.bench\.ts$/.exec(file)?.[1] ?? []);

export const define: Define = (command) =>
  command
    .description('Compares this project with the minimum work and with other frameworks, in one run.')
    .addArgument(command.createArgument('[name...]', 'the benchmarks; without one, all of them').choices(known))
    .action(measure);

function measure(asked: readonly string[]): void {
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
}
