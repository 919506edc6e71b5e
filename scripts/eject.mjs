// npm run eject: a module leaves for good, into a repository of its own.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { build, fail, install, node, root } from './setup.mjs';

const help = `Usage: npm run eject -- <module> --to ../payments-service [--address http://127.0.0.1:4105] [--dry-run] [--force]

Writes a repository of its own: the module, the kernel as a package, the contracts it knows, tests, a Dockerfile, a README. Here it leaves
its contract, its public resources and its module.json, so that others can call it, and its placement in topology.yaml. Its data stays where it
is: bring data/<module>.db along when it moves.

  --to       a folder that is not there, or is empty
  --address  where it will run
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
if (existsSync(target) && readdirSync(target).length > 0)
  fail(`${values.to} is there and is not empty; name another folder`);
if (!relative(root, target).startsWith('..')) fail(`${values.to} is within this repository; name a folder beside it`);

install();
build();
const all = JSON.parse(run(node(), [join(root, 'dist', 'app.js'), '--modules']));
const own =
  all.find(({ about }) => about.name === name) ??
  fail(`there is no module "${name}"; there are ${all.map(({ about }) => about.name).join(', ')}`);
const folder = join(root, 'src', 'modules', name);
const inside = join(folder, 'internal');
if (!existsSync(inside)) fail(`${name} has no inside here: it has left already`);
// Where there is no git, nothing can be looked up in it, and nothing is asked for.
const pending = spawnSync('git', ['status', '--porcelain'], { cwd: root, encoding: 'utf8' }).stdout ?? '';
if (pending !== '' && !values.force && !values['dry-run'])
  fail('there is work here that is not committed; commit it first, or say --force');

const { repositoryOf } = await import('./eject/repository.mjs');
const files = { ...repositoryOf(name, own.about), 'test/contract.json': `${JSON.stringify(own.contract, null, 2)}\n` };
const stub = stubOf();
if (values['dry-run']) {
  for (const path of Object.keys(files).sort()) console.log(`write   ${join(values.to, path)}`);
  console.log(`remove  ${relative(root, inside)}/`);
  console.log(
    `change  ${relative(root, join(folder, 'module.ts'))}\nchange  topology.yaml: ${name}: ${values.address}`,
  );
  process.exit(0);
}
for (const [path, text] of Object.entries(files)) {
  mkdirSync(dirname(join(target, path)), { recursive: true });
  writeFileSync(join(target, path), text);
}
rmSync(inside, { recursive: true });
writeFileSync(join(folder, 'module.ts'), stub);
const place =
  "const [file, ...placed] = process.argv.slice(1); import('./src/shared/topology/topology-file.ts').then(({ writePlacement }) => writePlacement(file, ...placed))";
run(node(), ['--no-warnings', '-e', place, 'topology.yaml', name, values.address]);
console.log(
  `${name} is in ${values.to}: run npm test there. Here it is reached at ${values.address}; look at the change, and commit it.`,
);

/** What is left of module.ts: the module is known here, and opened nowhere. */
function stubOf() {
  const [, exported] =
    /^export const (\w+) = contract\(/m.exec(readFileSync(join(folder, 'contract.ts'), 'utf8')) ?? [];
  if (!exported) fail(`src/modules/${name}/contract.ts exports no contract: export const ${name} = contract(…)`);
  const hasRoutes = existsSync(join(folder, 'routes.ts'));
  const known = `knownModule({ about, contract: ${exported}, subscribesTo: ${JSON.stringify(own.subscribesTo)}, settings: ${JSON.stringify(own.settings)} })`;
  return [
    "import { knownModule } from '../../shared/module/index.ts';",
    `import { ${exported} } from './contract.ts';`,
    "import about from './module.json' with { type: 'json' };",
    ...(hasRoutes ? ["import { routes } from './routes.ts';"] : []),
    '',
    '/** It has a repository of its own; the topology says where it runs. */',
    `export default ${hasRoutes ? `{ ...${known}, routes: routes as never }` : known};`,
    '',
  ].join('\n');
}

function run(command, given) {
  const { status, stdout, stderr, error } = spawnSync(command, given, {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  if (status !== 0) fail(`"${[command, ...given].join(' ')}" failed: ${error?.message ?? stderr.trim()}`);
  return stdout;
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
