import { existsSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import type { Architecture, Violation } from './architecture.ts';

/** The test kit, and what a program opens a product with: their exports may be unused. */
const forUsers = ['kernel/testing', 'control/host'];

const exported = /^export (?:type )?\{([^}]*)\} from/gm;
const imported = /\{([^{}]*)\}\s*(?:from|= await import\()\s*(.*)/g;
/** Matches an import of an index.ts: as a path, or by the name that the package exports. */
const leadsTo = /'(\.[^']*\/index\.ts)'|'kerf\/([\w/-]+)'/;
const roomAt = /^src\/shared\/([^/]+\/[^/]+)\/index\.ts$/;

/** Finds exports of a room's index.ts that no file imports. Rooms that are offered to adapters, modules and parts of control may have unused exports. */
export function unusedExports(
  root: string,
  files: readonly string[],
  { kernel, control, controlParts, controlForParts, kernelForAdapters, kernelForModules }: Architecture,
): Violation[] {
  const read = (file: string) => (existsSync(join(root, file)) ? readFileSync(join(root, file), 'utf8') : '');
  const used = new Set(files.flatMap((file) => importsIn(file, read(file))));
  const offered = [
    ...forUsers,
    ...[...kernelForAdapters, ...kernelForModules].map((room) => `kernel/${room}`),
    ...controlForParts.map((room) => `control/${room}`),
  ];
  return [...roomsOf('kernel', Object.keys(kernel)), ...roomsOf('control', [...Object.keys(control), ...controlParts])]
    .filter((room) => !offered.includes(room))
    .map((room) => ({ room, from: `src/shared/${room}/index.ts` }))
    .flatMap(({ room, from }) =>
      [...read(from).matchAll(exported)]
        .flatMap(([, names = '']) => namesIn(names))
        .filter((name) => !used.has(`${room} ${name}`))
        .map((name) => ({
          rule: 'what-is-exported-is-used',
          from,
          why: `It exports "${name}", which no other room imports from here: a door to nowhere misleads. Take it out; tests of this room, and those outside src/, may import the file that has it.`,
        })),
    );
}

const roomsOf = (ring: string, rooms: readonly string[]) => rooms.map((room) => `${ring}/${room}`);

function importsIn(file: string, text: string): string[] {
  return [...text.matchAll(imported)].flatMap(([, names = '', where = '']) => {
    const [, path, written] = leadsTo.exec(where) ?? [];
    const room = path ? roomAt.exec(posix.join(posix.dirname(file), path))?.[1] : roomOf(written);
    return namesIn(names).map((name) => `${room} ${name}`);
  });
}

/** Returns the folder of a room by the name that the package exports: `control/host` for that, `kernel/module` for `module`. */
function roomOf(name: string | undefined): string | undefined {
  return name?.includes('/') ? name : `kernel/${name}`;
}

function namesIn(list: string): string[] {
  const names = list.split(',').map((each) => /^\s*(?:type\s+)?(\w+)/.exec(each)?.[1]);
  return names.filter((name) => name !== undefined);
}
