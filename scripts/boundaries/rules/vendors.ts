import type { Rule, Table } from '../architecture.ts';
import { any, forbid, homeAt, packageNamed, testKit, tests } from './paths.ts';

export function vendorRules(vendors: Table): Rule[] {
  return [
    ...Object.entries(vendors).map(([name, homes]) => staysAtHome(name, homes)),
    forbid(
      'every-package-has-a-home',
      { path: '^src/', pathNot: tests },
      { path: 'node_modules/', pathNot: packageNamed(any(Object.keys(vendors))), dependencyTypesNot: ['npm-dev'] },
      'This package has no home. Add it to the dependencies in package.json and to "vendors" in .dependency-cruiser.js, with the one folder that is to know it.',
    ),
    forbid(
      'tools-stay-outside',
      { path: '^src/', pathNot: [tests, testKit] },
      { path: 'node_modules/', dependencyTypes: ['npm-dev'] },
      'This package is a tool (devDependencies): it is not there when the system runs. Only the test kit, *.test.ts, *.cases.ts and *.scene.ts may import it. If the system needs it, move it to the dependencies in package.json.',
    ),
  ];
}

function staysAtHome(name: string, homes: readonly string[]): Rule {
  return forbid(
    `${name}-stays-at-home`,
    { path: '^src/', pathNot: [tests, ...homes.map(homeAt)] },
    { path: packageNamed(name) },
    `${name} is known to ${homes.map((home) => `src/${home}`).join(', ')} only, so that it can be replaced there. Use what its home exports, or add what is missing to it. If this is a home as well, add it to "vendors" in .dependency-cruiser.js.`,
  );
}
