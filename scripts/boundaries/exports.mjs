import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Doors that are for compositions, and for tests, yet to be written. */
const forOthers = ['gateway', 'testing'];

const exported = /^export (?:type )?\{([^}]*)\} from/gm;
const imported = /\{([^{}]*)\}\s*(?:from|= await import\()\s*(.*)/g;
/** Where an import leads to a door: as a path, or written into a program that is yet to be made. */
const leadsTo = /\/(\w+)\/index\.ts'|\bkernel\('(\w+)'\)/;

/** What the index.ts of a kernel folder exports, and none of `files` imports from there. What is offered to modules need not be in use. */
export function unusedExports(root, files, { kernel, kernelForModules }) {
  const read = (file) => (existsSync(join(root, file)) ? readFileSync(join(root, file), 'utf8') : '');
  const used = new Set(files.flatMap((file) => importsIn(read(file))));
  return Object.keys(kernel)
    .filter((folder) => ![...kernelForModules, ...forOthers].includes(folder))
    .map((folder) => ({ folder, from: `src/shared/${folder}/index.ts` }))
    .flatMap(({ folder, from }) =>
      [...read(from).matchAll(exported)]
        .flatMap(([, names]) => namesIn(names))
        .filter((name) => !used.has(`${folder} ${name}`))
        .map((name) => ({
          rule: 'what-is-exported-is-used',
          from,
          why: `It exports "${name}", which no other folder imports from here: a door to nowhere misleads. Take it out; tests of this folder, and those outside src/, may import the file that has it.`,
        })),
    );
}

function importsIn(text) {
  return [...text.matchAll(imported)].flatMap(([, names, where]) => {
    const [, folder, written] = leadsTo.exec(where) ?? [];
    return namesIn(names).map((name) => `${folder ?? written} ${name}`);
  });
}

function namesIn(list) {
  const names = list.split(',').map((each) => /^\s*(?:type\s+)?(\w+)/.exec(each)?.[1]);
  return names.filter((name) => name !== undefined);
}
