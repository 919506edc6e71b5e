// npm run eject: a module leaves for good, into a repository of its own.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { build, fail, install, root } from './setup.mjs';

const help = `Usage: npm run eject -- <module> --to ../payments-service [--address http://127.0.0.1:4105] [--dry-run] [--force]

Writes a repository of its own: the module, the kernel as a package, the contracts it knows, its tests, a Dockerfile, a README. Here it
leaves its contract, its public resources and its module.json, so that others can call it, and its placement in topology.yaml. Its data
stays where it is: bring data/<module>.db along when it moves. Tests here that open the module need another one from then on, or must go.

  --to       a folder that is not there, or is empty
  --address  where it will run: http://host:port, or grpc://host:port
  --dry-run  says what would be written, changed and removed, and does nothing
  --force    although there is work here that is not committed`;

const { values, positionals } = words();
if (values.help) {
  console.log(help);
  process.exit(0);
}
const [name, ...more] = positionals;
if (!name || more.length > 0) fail('say which module, one; see npm run eject -- --help');
if (!values.to) fail('say where to, such as --to ../payments-service');
const target = resolve(values.to);
refuseTarget();
if (!/^(https?|grpcs?):\/\/[^/\s,:@]+:\d{1,5}$/.test(values.address))
  fail(
    `--address ${values.address} is not where a module can run; write such as http://127.0.0.1:4105 or grpc://payments:4105`,
  );

install();
build();
const { described } = await import('./build-module/bundle.mjs');
const { filesIn, repositoryOf } = await import('./eject/repository.mjs');
const { leave } = await import('./eject/left.mjs');

const all = described();
const own =
  all.find(({ about }) => about.name === name) ??
  fail(`there is no module "${name}"; there are ${all.map(({ about }) => about.name).join(', ')}`);
const folder = join(root, 'src', 'modules', name);
if (!existsSync(join(folder, 'internal'))) fail(`${name} has no inside here: it has left already`);
if (!values.force && !values['dry-run']) refuseUncommitted();

const files = repositoryOf(own, all, values.address);
if (values['dry-run']) announce();
else eject();

function announce() {
  for (const path of Object.keys(files).sort()) console.log(`write   ${join(values.to, path)}`);
  console.log(`change  topology.yaml: ${name}: ${values.address}`);
  console.log(`change  ${relative(root, join(folder, 'module.ts'))}`);
  for (const file of filesIn(relative(root, join(folder, 'internal')))) console.log(`remove  ${file}`);
}

function eject() {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(target, path)), { recursive: true });
    writeFileSync(join(target, path), text);
  }
  leave(own, values.address, basename(target));
  console.log(
    `${name} is in ${values.to}: run npm test there. Here it is reached at ${values.address}; look at the change, and commit it.`,
  );
}

function refuseTarget() {
  if (existsSync(target) && !statSync(target).isDirectory()) fail(`${values.to} is a file; name another folder`);
  if (existsSync(target) && readdirSync(target).length > 0)
    fail(`${values.to} is there and is not empty; name another folder`);
  if (!relative(root, target).startsWith('..')) fail(`${values.to} is within this repository; name a folder beside it`);
}

/** What is removed must be in the history. Where there is no git, nothing can be looked up in it, and nothing is asked for. */
function refuseUncommitted() {
  const { stdout } = spawnSync('git', ['status', '--porcelain'], { cwd: root, encoding: 'utf8' });
  if (stdout) fail('there is work here that is not committed; commit it first, or say --force');
}

function words() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        to: { type: 'string' },
        address: { type: 'string', default: 'http://127.0.0.1:4105' },
        'dry-run': { type: 'boolean', default: false },
        force: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch (error) {
    return fail(`${error.message.split(/\.\s/)[0]}; see npm run eject -- --help`);
  }
}
