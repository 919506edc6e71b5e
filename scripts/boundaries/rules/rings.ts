import type { Architecture, Rule, Table } from '../architecture.ts';
import { any, app, compositions, forbid, forTests, testKit, tests } from './paths.ts';

/** Returns the rules for the three rings of src/shared/, and for the order of rooms in two of them. */
export function ringRules(architecture: Architecture): Rule[] {
  const { kernel, control, controlParts, controlForParts } = architecture;
  const { kernelForAdapters, kernelForModules, kernelForCompositions } = architecture;
  return [
    ...ordered('kernel', kernel),
    ...ordered('control', control),
    ...rings,
    ...partsCanBeLeftOut(controlParts, controlForParts),
    adaptersStandAlone(kernelForAdapters),
    forbid(
      'modules-do-not-know-where-they-run',
      { path: '^src/modules/', pathNot: tests },
      { path: '^src/shared/', pathNot: `^src/shared/kernel/${any(kernelForModules)}/` },
      'This part of src/shared/ decides where modules run and how they are reached; a module that knows it cannot be moved. Take what you need from the container. If every module should have it, add the room to "kernelForModules" in .dependency-cruiser.js.',
    ),
    forbid(
      'compositions-know-contracts-only',
      { path: compositions },
      { path: '^src/', pathNot: contractsAnd(kernelForCompositions) },
      'A composition joins what modules answer, wherever they run, so it knows their contracts, the rooms under "kernelForCompositions" in .dependency-cruiser.js, and nothing else. Import the contract.ts and ask for a client.',
    ),
    forbid(
      'nothing-stands-on-the-top',
      { path: '^src/', pathNot: [app, compositions, tests] },
      { path: [app, compositions] },
      'src/app.ts and src/compositions/ stand on everything else, and only src/app.ts may import a composition. Move what you need down, into the module or the room it belongs to.',
    ),
  ];
}

const rings = [
  forbid(
    'rooms-are-entered-by-their-index',
    { path: '^src/shared/([^/]+/[^/]+)/|^(src|scripts)/' },
    { path: '^src/shared/[^/]+/[^/]+/', pathNot: ['^src/shared/[^/]+/[^/]+/index\\.ts$', '^src/shared/$1/', forTests] },
    'The door of a room is its index.ts; what is behind it changes without notice. Import from the index.ts, and export there what is missing.',
  ),
  forbid(
    'the-kernel-knows-no-other-ring',
    { path: '^src/shared/kernel/', pathNot: [tests, testKit] },
    { path: '^src/shared/(adapters|control)/' },
    'The kernel is what a module, a call, an event and a saga are, whatever technology carries them. Define a port in the kernel, and implement it in src/shared/adapters/ or src/shared/control/.',
  ),
  forbid(
    'the-test-kit-knows-one-adapter',
    { path: testKit },
    { path: '^src/shared/(adapters|control)/', pathNot: '^src/shared/adapters/sqlite/' },
    'The test kit runs sagas on a real database, and needs nothing else of the other rings. Pass it in.',
  ),
  forbid(
    'control-knows-adapters-by-their-ports',
    { path: '^src/shared/control/', pathNot: tests },
    { path: '^src/shared/adapters/' },
    'src/app.ts lists the adapters of the product. Get the port from "Adapters" of src/shared/control/adapter-list/.',
  ),
  forbid(
    'commands-know-kernel-and-control',
    { path: '^scripts/' },
    { path: '^src/', pathNot: '^src/shared/(kernel|control)/' },
    'A command serves any product, so it may not know what one is made of. Import the kernel or control, or ask the built program.',
  ),
  forbid(
    'the-rings-know-no-module',
    { path: '^src/shared/' },
    { path: '^src/modules/' },
    'src/shared/ serves any business, so it may not know this one. Let the module hand in what is needed, through defineModule or its contract.',
  ),
];

const adaptersStandAlone = (rooms: readonly string[]) =>
  forbid(
    'adapters-know-the-kernel-alone',
    { path: '^src/shared/adapters/([^/]+)/', pathNot: tests },
    { path: '^src/', pathNot: ['^src/shared/adapters/$1/', `^src/shared/kernel/${any(rooms)}/`] },
    'An adapter can be deleted without any other noticing, so it imports the kernel and nothing beside it, and of the kernel the rooms under "kernelForAdapters" in .dependency-cruiser.js. Move what both need into one of them.',
  );

const partsCanBeLeftOut = (parts: readonly string[], offered: readonly string[]) => [
  forbid(
    'nobody-needs-a-part-of-control',
    { path: '^src/shared/', pathNot: [tests, `^src/shared/control/${any(parts)}/`] },
    { path: `^src/shared/control/${any(parts)}/` },
    'A product may leave this part out, so only src/app.ts may import it. Ask for what you need through src/shared/control/parts/.',
  ),
  forbid(
    'parts-of-control-know-what-is-offered',
    { path: `^src/shared/control/(${parts.join('|')})/`, pathNot: tests },
    { path: '^src/shared/control/', pathNot: ['^src/shared/control/$1/', `^src/shared/control/${any(offered)}/`] },
    'A part of control imports no other part, and of control the rooms under "controlForParts" in .dependency-cruiser.js. Have it handed in, or offer one more room there.',
  ),
];

const contractsAnd = (rooms: readonly string[]) => `^src/(modules/[^/]+/contract\\.ts$|shared/kernel/${any(rooms)}/)`;

/** Returns a rule for each room, except a room that may import all others. */
function ordered(ring: string, rooms: Table): Rule[] {
  const all = Object.entries(rooms);
  return all.filter(([, below]) => below.length + 1 < all.length).map(([room, below]) => order(ring, room, below));
}

function order(ring: string, room: string, below: readonly string[]): Rule {
  const path = `^src/shared/${ring}/`;
  return forbid(
    `${ring}-order-${room}`,
    { path: `${path}${room}/`, pathNot: tests },
    { path, pathNot: `${path}${any([room, ...below])}/` },
    `The ${ring} is built in an order, and "${room}" does not stand on this room. Move what you need into a room below both, or have it handed in from above. If the order should change, change "${ring}" in .dependency-cruiser.js; it must stay free of cycles.`,
  );
}
