import type { Architecture, Rule } from '../architecture.ts';
import type { Manifests } from '../modules.ts';
import { any, app, forbid, testKit, tests } from './paths.ts';

type Rings = Pick<Architecture, 'kernel' | 'control' | 'controlParts'>;

/** What holds for any code, and that there is no other code. */
export function codeRules({ kernel, control, controlParts }: Rings, borders: Manifests): Rule[] {
  return [
    everyFileHasAPlace([
      app,
      '^src/compositions/[^/]+\\.ts$',
      `^src/modules/${any(Object.keys(borders))}/((contract|routes|module)\\.ts|[^/]+\\.test\\.ts|module\\.json|internal/.+\\.ts)$`,
      `^src/shared/kernel/${any(Object.keys(kernel))}/.+\\.ts$`,
      `^src/shared/control/${any([...Object.keys(control), ...controlParts])}/.+\\.ts$`,
      '^src/shared/adapters/[^/]+/.+\\.ts$',
    ]),
    forbid(
      'no-cycles',
      { path: '^src/' },
      { circular: true },
      'These files import each other, so neither can be understood, tested or moved alone (`import type` counts). Move what both need into a third file, often the interface beside them.',
    ),
    forbid(
      'every-import-leads-somewhere',
      { path: '^src/' },
      { couldNotResolve: true },
      'There is nothing at the other end of this import. Correct the path (relative, with .ts), or add the package to package.json and run npm install.',
    ),
    forbid(
      'the-source-stands-alone',
      { path: '^src/', pathNot: tests },
      { pathNot: ['^src/', 'node_modules/'], couldNotResolve: false, dependencyTypesNot: ['core'] },
      'Only src/ is built and shipped, so nothing in it but a test may import from test/, scripts/ or anywhere else outside. Move what both need into src/shared/.',
    ),
    forbid(
      'tests-are-not-imported',
      { path: '^src/', pathNot: tests },
      { path: tests },
      'Tests are not part of the system, so nothing but another test may import one. Move what you need out of it into a file of its own.',
    ),
    forbid(
      'the-test-kit-is-for-tests',
      { path: '^src/', pathNot: [tests, testKit] },
      { path: testKit },
      'src/shared/kernel/testing/ is not part of the running system; only *.test.ts, *.cases.ts and *.scene.ts may import it. Move what the system needs into another room.',
    ),
  ];
}

/** Returns a rule for files instead of imports: no path is empty, so every file has fewer than one such dependent. */
function everyFileHasAPlace(places: string[]): Rule {
  return {
    name: 'every-file-has-a-place',
    severity: 'error',
    comment:
      'No rule says what this file may import or who may import it. A module has module.json, contract.ts, routes.ts, module.ts, tests beside them and internal/; src/shared/ has the rooms listed under "kernel", "control" and "controlParts" in .dependency-cruiser.js, and a folder for each adapter. Move the file into one of them; for a new room add a line there, for a new module a module.json.',
    module: { path: '^src/', pathNot: places, numberOfDependentsLessThan: 1 },
    from: { path: '^$' },
  };
}
