import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf } from '../setup.mjs';
import type { Violation } from './architecture.ts';
import { findCycle } from './cycle.ts';

/** A module.json. Other entries may have any value. */
export interface Manifest {
  readonly uses: readonly string[];
  readonly listensTo: readonly string[];
  readonly [key: string]: unknown;
}
/** The manifests by the folders of the modules. */
export type Manifests = Readonly<Record<string, Manifest>>;

const lists = ['uses', 'listensTo'] as const;

/** Returns the content of each module.json by module. Throws when a file is not JSON. */
export function readModules(root: string): Manifests {
  const folder = join(root, 'src', 'modules');
  const names = existsSync(folder) ? readdirSync(folder).sort() : [];
  const declared = names.filter((name) => existsSync(join(folder, name, 'module.json')));
  return Object.fromEntries(declared.map((name) => [name, read(join(folder, name, 'module.json'), name)]));
}

/** Returns the ejected modules. Their repositories use the declarations, so no file here does. */
export function readLeft(root: string, modules: Manifests): string[] {
  return Object.keys(modules).filter((name) => {
    const file = join(root, 'src', 'modules', name, 'module.ts');
    return existsSync(file) && /^export default remoteModule\(/m.test(readFileSync(file, 'utf8'));
  });
}

function read(path: string, name: string): Manifest {
  try {
    const about: Readonly<Record<string, unknown>> = JSON.parse(readFileSync(path, 'utf8'));
    return { ...about, uses: list(about.uses), listensTo: list(about.listensTo) };
  } catch (error) {
    throw new Error(`src/modules/${name}/module.json cannot be read (${messageOf(error)}): repair its JSON`);
  }
}

const list = (value: unknown) => (Array.isArray(value) ? value.filter((each) => typeof each === 'string') : []);

/** Finds mistakes in the module.json files, each with the file and its solution. */
export function validateModules(modules: Manifests): Violation[] {
  const wrong = Object.entries(modules).flatMap(([folder, about]) =>
    complaints(folder, about, modules).map((why) => problem('module-json-is-true', folder, why)),
  );
  const cycle = findCycle(Object.fromEntries(Object.entries(modules).map(([name, { uses }]) => [name, uses])));
  const [first] = cycle ?? [];
  if (cycle && first) {
    wrong.push(
      problem(
        'calls-go-one-way',
        first,
        `these modules call each other: ${cycle.join(' → ')}. None of them can fail, be released or be cut out alone. Turn one of the calls into an event that the other listens to ("listensTo").`,
      ),
    );
  }
  return wrong;
}

function complaints(folder: string, about: Manifest, modules: Manifests): string[] {
  const found: string[] = [];
  if (about.name !== folder)
    found.push(`"name" is ${JSON.stringify(about.name)}; make it "${folder}", as the folder is called`);
  for (const key of ['owner', 'about']) {
    if (typeof about[key] !== 'string' || !about[key]) found.push(`"${key}" is missing: say it in a few words`);
  }
  for (const key of lists) {
    for (const name of about[key]) {
      if (name === folder) found.push(`"${key}" names "${name}" itself; take it out`);
      else if (!Object.hasOwn(modules, name))
        found.push(
          `"${key}" names "${name}", and there is no src/modules/${name}/module.json; correct the name or take it out`,
        );
    }
    if (new Set(about[key]).size < about[key].length) found.push(`"${key}" names a module twice; once is enough`);
  }
  return found;
}

const problem = (rule: string, module: string, why: string): Violation => ({
  rule,
  from: `src/modules/${module}/module.json`,
  why,
});

/** Returns the line of module.json that would allow `from` to import `to`, when both are in modules. */
export function missingLine(modules: Manifests, from: string, to: string): string | undefined {
  const [importer, imported] = [from, to].map((path) => /^src\/modules\/([^/]+)\//.exec(path)?.[1]);
  const about = importer === undefined ? undefined : modules[importer];
  if (!about || imported === undefined || !modules[imported]) return undefined;
  const line = (key: (typeof lists)[number]) =>
    `"${key}": ${JSON.stringify([...about[key], imported]).replaceAll(',', ', ')}`;
  return `in src/modules/${importer}/module.json, ${line('uses')}   (only for its events: ${line('listensTo')})`;
}
