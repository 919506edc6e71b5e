// kerf build-module: builds one module as a separate artifact.
import { existsSync } from 'node:fs';
import { join, relative } from 'node:path';
import { type Artifact, bundleModule, moduleNames, packagesBeside } from './build-module/bundle.ts';
import { type Define, misuse } from './cli/command.ts';
import type { ResultOptions } from './operator.ts';
import { build, fail, root } from './setup.mjs';

export const define: Define = (command) =>
  command
    .description(`Bundles the kernel, the module and the contracts that it knows, and nothing of another module's internal/. Run it with the
same topology and settings: node dist/modules/payments/app.js does what the whole program does with --only. Or put it in the place of
the running release: npx kerf replace payments --artifact dist/modules/payments. deploy/Dockerfile makes an image of it.`)
    .argument('[module...]', 'the modules, such as payments')
    .option('--all', 'builds every module')
    .option(
      '--packages',
      'prints the package.json that stands beside the bundle of the whole system, and builds no module',
    )
    .option('--out <folder>', 'the folder for one module (dist/modules/<module>)')
    .json('prints a line of JSON for each module')
    .action(run);

interface BuildOptions extends ResultOptions {
  readonly all?: true;
  readonly packages?: true;
  readonly out?: string;
}

async function run(modules: readonly string[], options: BuildOptions): Promise<void> {
  if (options.all && modules.length > 0) misuse('--all leaves no module to name');
  build();
  if (options.packages) console.log(JSON.stringify(packagesBeside('kerf'), null, 2));
  else await buildAll(options.all ? moduleNames : modules, options);
}

async function buildAll(names: readonly string[], { json, out }: BuildOptions): Promise<void> {
  if (names.length === 0) misuse('name a module, such as payments');
  if (names.length > 1 && out) misuse('--out is for one module');
  for (const name of names) refuseUnknown(name);
  if (names.length > 1 && !json) console.log(row('module', 'KiB', 'at start', 'in'));
  for (const name of names) {
    const folder = out ?? join(root, 'dist', 'modules', name);
    const { files, packages } = await bundleModule(name, folder);
    const bytes = sum(files);
    if (json) console.log(JSON.stringify({ module: name, folder, bytes, files, packages }));
    else if (names.length === 1) show(name, folder, { files, packages });
    else console.log(row(name, kib(bytes), kib(sum(files.filter(({ atStart }) => atStart))), relative('.', folder)));
  }
}

function refuseUnknown(name: string): void {
  if (moduleNames.includes(name)) return;
  if (existsSync(join(root, 'src', 'modules', name, 'module.json')))
    fail(`${name} has left for a repository of its own; build it there`);
  fail(`there is no module "${name}"; there are ${moduleNames.join(', ')}`);
}

/** Prints the files, the largest first, each with its purpose. */
function show(name: string, folder: string, { files, packages }: Artifact): void {
  console.log(`${name} in ${relative('.', folder)}: ${kib(sum(files))} KiB\n`);
  const bySize = files.toSorted((one, other) => other.bytes - one.bytes);
  for (const { name: file, bytes, atStart } of bySize)
    console.log(`  ${String(bytes).padStart(9)} bytes  ${file}${atStart ? '' : '  (when it is needed)'}`);
  const beside = Object.entries(packages).map(([each, version]) => `${each} ${version}`);
  console.log(`\nInstalled beside it: ${beside.join(', ')}`);
}

function row(...cells: string[]): string {
  return cells
    .map((cell, index) => (index % 3 === 0 ? cell.padEnd(16) : cell.padStart(8)))
    .join('  ')
    .trimEnd();
}

function sum(files: Artifact['files']): number {
  return files.reduce((total, { bytes }) => total + bytes, 0);
}

function kib(bytes: number): string {
  return String(Math.ceil(bytes / 1_024));
}
