// What is left of a module in the repository it has left: it is known, called where it went, and opened nowhere.
import { spawnSync } from 'node:child_process';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { contractName, remoteModuleText } from '../build-module/entry.mjs';
import { fail, node, root } from '../setup.mjs';

/** Writes the placement first and removes the inside last, so that an interrupted run can be repeated. */
export function leave(own, address, repository) {
  const { name } = own.about;
  const folder = join(root, 'src', 'modules', name);
  const stub = stubOf(own, repository);
  place(name, address);
  writeFileSync(join(folder, 'module.ts'), stub);
  rmSync(join(folder, 'internal'), { recursive: true });
}

/** Its module.ts from now on. */
export function stubOf({ about: { name }, subscribesTo, settings }, repository) {
  const exported = contractName(name);
  const hasRoutes = existsSync(join(root, 'src', 'modules', name, 'routes.ts'));
  const contract = exported === 'contract' ? exported : `contract: ${exported}`;
  const known = { about: 'about', more: hasRoutes ? [contract, 'routes'] : [contract], subscribesTo, settings };
  return [
    "import { remoteModule } from '../../shared/kernel/module/index.ts';",
    `import { ${exported} } from './contract.ts';`,
    "import about from './module.json' with { type: 'json' };",
    ...(hasRoutes ? ["import { routes } from './routes.ts';"] : []),
    '',
    `/** It has a repository of its own, ${repository}; the topology says where it runs. */`,
    `export default ${remoteModuleText(known, '', ';')}`,
    '',
  ].join('\n');
}

function place(name, address) {
  const script =
    "const [file, ...placed] = process.argv.slice(1); import('./src/shared/control/topology/topology-file.ts').then(({ writePlacement }) => writePlacement(file, ...placed))";
  const words = ['--no-warnings', '-e', script, 'topology.yaml', name, address];
  const { status, stderr } = spawnSync(node(), words, { cwd: root, encoding: 'utf8' });
  if (status !== 0) fail(`topology.yaml cannot be changed: ${/^\w*Error: (.*)/m.exec(stderr)?.[1] ?? stderr.trim()}`);
}
