import type { Rule } from '../architecture.ts';
import type { Manifest, Manifests } from '../modules.ts';
import { any, app, contracts, forbid, packageNamed, tests } from './paths.ts';

export function moduleRules(borders: Manifests): Rule[] {
  return [...Object.entries(borders).map(([name, declared]) => border(name, declared)), ...doors];
}

function border(name: string, { uses, listensTo }: Manifest): Rule {
  return forbid(
    `${name}-declares-whom-it-knows`,
    { path: `^src/modules/${name}/` },
    {
      path: '^src/modules/[^/]+/(contract\\.ts|module\\.json)$',
      pathNot: [`^src/modules/${any([name, ...uses, ...listensTo])}/contract\\.ts$`, `^src/modules/${name}/`],
    },
    `"${name}" does not declare that it knows this module, so its team cannot see who depends on it. Add it in src/modules/${name}/module.json: to "uses" when ${name} calls it, to "listensTo" when ${name} only takes its events. Then import its contract.ts and nothing else.`,
  );
}

const inside = '^src/modules/[^/]+/internal/';

const doors = [
  forbid(
    'contracts-stand-alone',
    { path: contracts },
    { pathNot: ['^src/shared/kernel/contract/index\\.ts$', packageNamed('zod'), contracts] },
    'A contract must be able to ship without its module, so it imports src/shared/kernel/contract, zod and other contracts, and nothing else. Write the schema here and let the inside import it from here.',
  ),
  forbid(
    'internal-is-private',
    { path: '^src/modules/([^/]+)/|^src/' },
    { path: inside, pathNot: '^src/modules/$1/internal/' },
    'This is the inside of a module, which its team changes without asking anybody. Call an operation of its contract.ts; if there is none, ask the owner named in its module.json for one.',
  ),
  forbid(
    'only-the-app-opens-modules',
    { path: '^src/', pathNot: [app, tests, inside] },
    { path: '^src/modules/[^/]+/module\\.ts$' },
    'A module is opened by src/app.ts alone: this import drags its whole inside along, and it could no longer run elsewhere. Import its contract.ts and ask for a client.',
  ),
  forbid(
    'routes-belong-to-their-module',
    { path: '^src/modules/([^/]+)/module\\.ts$|^src/', pathNot: [tests, inside] },
    { path: '^src/modules/[^/]+/routes\\.ts$', pathNot: '^src/modules/$1/routes\\.ts$' },
    'Public resources are handed to the gateway by the module.ts beside them, and by nobody else. For the same data, call an operation of the contract.ts.',
  ),
  forbid(
    'routes-know-only-their-contract',
    { path: '^src/modules/([^/]+)/routes\\.ts$' },
    { path: '^src/modules/', pathNot: '^src/modules/$1/contract\\.ts$' },
    'Routes are served by the gateway even while their module runs in another process, so they reach it through its own contract.ts. Add an operation there; what joins several modules belongs in src/compositions/.',
  ),
  forbid(
    'the-inside-does-not-know-its-door',
    { path: inside, pathNot: tests },
    { path: '^src/modules/[^/]+/(routes|module)\\.ts$' },
    'routes.ts and module.ts are made from the inside, not the other way round. Move what you need from there into internal/, or have module.ts hand it in.',
  ),
];
