// kerf eject: moves a module permanently into a separate repository.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { wires } from '../src/shared/control/admin-contract/index.ts';
import type { ModuleDescription } from '../src/shared/control/host/index.ts';
import { wholeAddress } from '../src/shared/kernel/ports/index.ts';
import { described } from './build-module/bundle.ts';
import type { Define } from './cli/command.ts';
import { implementationOf, leave } from './eject/left.ts';
import type { Files } from './eject/packages.ts';
import { repositoryOf } from './eject/repository.ts';
import { type ResultOptions, tell } from './operator.ts';
import { build, fail, root } from './setup.mjs';

export const define: Define = (command) =>
  command
    .description(`Moves a module into a new repository: the module, src/shared/ as a package, the contracts it uses, its tests, a Dockerfile, a
README. In this repository, its contract, public resources and module.json remain, so that other modules can call it. topology.yaml gets
its address. Its data stays where it is: copy data/<module>.db when the module runs elsewhere. Afterwards, change or delete the tests
here that open the module.`)
    .argument('<module>', 'the module, such as payments')
    .requiredOption(
      '--to <folder>',
      'the target folder, outside this repository, such as ../payments-service; it must not exist, or be empty',
    )
    .option(
      '--address <address>',
      'where the module will run: http://host:port or grpc://host:port',
      'http://127.0.0.1:4105',
    )
    .option('--dry-run', 'lists the files that would be written, changed and removed, and changes nothing')
    .option('--force', 'ejects even when this repository has uncommitted changes')
    .json('prints the written, changed and removed files as JSON')
    .action(run);

interface EjectOptions extends ResultOptions {
  readonly to: string;
  readonly address: string;
  readonly dryRun?: true;
  readonly force?: true;
}

function run(name: string, options: EjectOptions): void {
  const { to, address } = options;
  refuseTarget(name, to);
  if (!isAddress(address))
    fail(
      `--address ${address} is not the address of a module; write protocol, host and port, such as http://127.0.0.1:4105 or grpc://payments:4105`,
    );
  build();
  const all = described();
  const own =
    all.find(({ about }) => about.name === name) ??
    fail(`there is no module "${name}"; there are ${all.map(({ about }) => about.name).join(', ')}`);
  if (!existsSync(join(root, folderOf(name), 'internal')))
    fail(
      `src/modules/${name}/internal does not exist: ${name} was ejected before; restore the folder from the history to eject it again`,
    );
  if (!options.force && !options.dryRun) refuseUncommitted();
  const files = repositoryOf(own, all, address);
  const changes = changesOf(name, files);
  if (options.dryRun) tell(options, { dryRun: true, to, ...changes }, () => announce(name, options, changes));
  else eject(own, files, options, changes);
}

interface Changes {
  readonly written: readonly string[];
  readonly changed: readonly string[];
  readonly removed: readonly string[];
}

/** Returns the files that are written in the new repository, and that are changed and removed in this one. */
function changesOf(name: string, files: Files): Changes {
  const folder = folderOf(name);
  return {
    written: Object.keys(files).sort(),
    changed: ['topology.yaml', join(folder, 'module.ts')],
    removed: implementationOf(name),
  };
}

function folderOf(name: string): string {
  return join('src', 'modules', name);
}

function announce(name: string, { to, address }: EjectOptions, { written, changed, removed }: Changes): void {
  for (const path of written) console.log(`write   ${join(to, path)}`);
  for (const path of changed) console.log(`change  ${path}${path === 'topology.yaml' ? `: ${name}: ${address}` : ''}`);
  for (const path of removed) console.log(`remove  ${path}`);
}

function eject(own: ModuleDescription, files: Files, options: EjectOptions, changes: Changes): void {
  const { to, address } = options;
  const { name } = own.about;
  const target = resolve(to);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(target, path)), { recursive: true });
    writeFileSync(join(target, path), text);
  }
  leave(own, address, basename(target));
  tell(options, { to, ...changes }, () =>
    console.log(
      `${name} is in ${to} now: run npm test there. This repository calls it at ${address}: review the change, and commit it.`,
    ),
  );
}

function isAddress(text: string): boolean {
  const ofWire = wires.some((wire) => text.startsWith(`${wire}:`) || text.startsWith(`${wire}s:`));
  return ofWire && wholeAddress(text) !== undefined;
}

function refuseTarget(name: string, to: string): void {
  const target = resolve(to);
  if (existsSync(target) && !statSync(target).isDirectory()) fail(`${to} is a file; name another folder`);
  if (!/^\.\.(?:[\\/]|$)/.test(relative(root, target)))
    fail(`${to} is within this repository; name a folder beside it, such as ../${name}-service`);
  if (existsSync(target) && readdirSync(target).length > 0)
    fail(`${to} is not empty; empty it, or name another folder`);
}

/** Fails with uncommitted changes, because removed files must be in the history. Does nothing without git. */
function refuseUncommitted(): void {
  const { stdout } = spawnSync('git', ['status', '--porcelain'], { cwd: root, encoding: 'utf8' });
  if (stdout) fail('this repository has uncommitted changes; commit them first, or add --force');
}
