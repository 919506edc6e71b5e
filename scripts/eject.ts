// npm run eject: moves a module permanently into a separate repository.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { wires } from '../src/shared/control/admin-contract/index.ts';
import { wholeAddress } from '../src/shared/kernel/ports/index.ts';
import { described } from './build-module/bundle.ts';
import { leave } from './eject/left.ts';
import { filesIn, repositoryOf } from './eject/repository.ts';
import { build, fail, root } from './setup.mjs';
import { flag, misused, readWords, text } from './words.ts';

const help = `Usage: npm run eject -- <module> --to ../payments-service [--address http://127.0.0.1:4105] [--dry-run] [--force]

Moves a module into a new repository: the module, src/shared/ as a package, the contracts it uses, its tests, a Dockerfile, a README.
In this repository, its contract, public resources and module.json remain, so that other modules can call it. topology.yaml gets its
address. Its data stays where it is: copy data/<module>.db when the module runs elsewhere. Afterwards, change or delete the tests here
that open the module.

  --to       the target folder, outside this repository; it must not exist, or be empty
  --address  where the module will run: http://host:port or grpc://host:port (http://127.0.0.1:4105)
  --dry-run  lists the files that would be written, changed and removed, and changes nothing
  --force    ejects even when this repository has uncommitted changes`;

const { values, positionals } = readWords('eject', help, {
  to: text,
  address: { type: 'string', default: 'http://127.0.0.1:4105' },
  'dry-run': flag,
  force: flag,
});
const [name, ...more] = positionals;
if (!name || more.length > 0) misused('eject', 'name exactly one module, such as payments');
const to = values.to ?? misused('eject', `name the target folder: npm run eject -- ${name} --to ../payments-service`);
const target = resolve(to);
refuseTarget();
if (!isAddress(values.address))
  fail(
    `--address ${values.address} is not the address of a module; write protocol, host and port, such as http://127.0.0.1:4105 or grpc://payments:4105`,
  );

build();

const all = described();
const own =
  all.find(({ about }) => about.name === name) ??
  fail(`there is no module "${name}"; there are ${all.map(({ about }) => about.name).join(', ')}`);
const folder = join(root, 'src', 'modules', name);
if (!existsSync(join(folder, 'internal')))
  fail(
    `src/modules/${name}/internal does not exist: ${name} was ejected before; restore the folder from the history to eject it again`,
  );
if (!values.force && !values['dry-run']) refuseUncommitted();

const files = repositoryOf(own, all, values.address);
if (values['dry-run']) announce();
else eject();

function announce(): void {
  for (const path of Object.keys(files).sort()) console.log(`write   ${join(to, path)}`);
  console.log(`change  topology.yaml: ${name}: ${values.address}`);
  console.log(`change  ${relative(root, join(folder, 'module.ts'))}`);
  for (const file of filesIn(relative(root, join(folder, 'internal')))) console.log(`remove  ${file}`);
}

function eject(): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(target, path)), { recursive: true });
    writeFileSync(join(target, path), text);
  }
  leave(own, values.address, basename(target));
  console.log(
    `${name} is in ${to} now: run npm test there. This repository calls it at ${values.address}: review the change, and commit it.`,
  );
}

function isAddress(text: string): boolean {
  const ofWire = wires.some((wire) => text.startsWith(`${wire}:`) || text.startsWith(`${wire}s:`));
  return ofWire && wholeAddress(text) !== undefined;
}

function refuseTarget(): void {
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
