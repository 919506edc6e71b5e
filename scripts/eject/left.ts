// Changes the repository that a module leaves: the module becomes a remote module at its new address.
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ModuleDescription } from '../../src/shared/control/host/index.ts';
import { writePlacement } from '../../src/shared/control/topology/index.ts';
import { contractName, remoteModuleText } from '../build-module/entry.ts';
import { fail, messageOf, root } from '../setup.mjs';
import { filesIn } from './repository.ts';

/** Writes the placement first and removes the implementation last, so that an interrupted run can be repeated. */
export function leave(own: ModuleDescription, address: string, repository: string): void {
  const { name } = own.about;
  const folder = join(root, 'src', 'modules', name);
  const stub = stubOf(own, repository);
  place(name, address);
  writeFileSync(join(folder, 'module.ts'), stub);
  for (const file of implementationOf(name)) rmSync(join(root, file));
  rmSync(join(folder, 'internal'), { recursive: true });
}

/** Returns the files that leave with a module: its `internal/` folder, and its tests. */
export function implementationOf(name: string): string[] {
  return filesIn(join('src', 'modules', name)).filter((file) => /[\\/]internal[\\/]|\.test\.ts$/.test(file));
}

/** Returns its new module.ts. */
function stubOf({ about: { name }, subscribesTo, settings }: ModuleDescription, repository: string): string {
  const exported = contractName(name);
  const hasRoutes = existsSync(join(root, 'src', 'modules', name, 'routes.ts'));
  const contract = exported === 'contract' ? exported : `contract: ${exported}`;
  const known = { about: 'about', more: hasRoutes ? [contract, 'routes'] : [contract], subscribesTo, settings };
  return [
    "import { remoteModule } from 'kerf/module';",
    `import { ${exported} } from './contract.ts';`,
    "import about from './module.json' with { type: 'json' };",
    ...(hasRoutes ? ["import { routes } from './routes.ts';"] : []),
    '',
    `/** It has a repository of its own, ${repository}; the topology says where it runs. */`,
    `export default ${remoteModuleText(known, '', ';')}`,
    '',
  ].join('\n');
}

function place(name: string, address: string): void {
  try {
    writePlacement(join(root, 'topology.yaml'), name, address);
  } catch (error) {
    fail(`topology.yaml cannot be changed: ${messageOf(error)}`);
  }
}
