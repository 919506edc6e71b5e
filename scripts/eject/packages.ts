// Creates package.json, kerf/package.json and package-lock.json for an ejected repository.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { exportsIn, readPackage, type Versions } from '../package.ts';
import { fail, root } from '../setup.mjs';
import { importsOf } from './imports.ts';

/** Files by path. */
export type Files = Readonly<Record<string, string>>;

/** An entry of the lock file: its dependencies of all kinds, and other fields of npm. */
interface Locked {
  readonly version?: string;
  readonly dependencies?: Versions;
  readonly devDependencies?: Versions;
  readonly optionalDependencies?: Versions | undefined;
  readonly peerDependencies?: Versions;
}
type Entries = Readonly<Record<string, Locked>>;
interface Lock {
  readonly packages: Entries;
}

/** A generated package.json. */
interface NewPackage extends Locked {
  readonly name: string;
  readonly version: string;
}

const tools = ['rolldown', 'typescript', 'vitest', '@types/node'];

/** Derives the dependencies from the imports of `files`, in the locked versions of this repository. */
export function packagesOf(name: string, files: Files): Files {
  const own = readPackage(root);
  const lock: Lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
  const versions: Versions = { ...own.devDependencies, ...own.dependencies };
  const pick = (names: Iterable<string>) =>
    Object.fromEntries([...names].sort().map((each) => [each, versions[each] ?? fail(`${each} is no dependency`)]));
  const ofKerf = importedBy(files, (path) => path.startsWith('kerf/'));
  const ofModule = importedBy(files, (path) => path.startsWith('src/') && !path.endsWith('.test.ts'));
  const ofTests = importedBy(files, (path) => path.endsWith('.test.ts'));
  const types = [...ofKerf, ...ofModule].map((each) => `@types/${each}`).filter((each) => versions[each]);
  const forWork = [...tools, ...types, ...[...ofTests].filter((each) => !ofModule.has(each))];
  const { version, engines, optionalDependencies } = own;
  const about = { version, private: true, type: 'module' };
  const kerf = {
    name: 'kerf',
    ...about,
    exports: exportsIn('.'),
    sideEffects: false,
    dependencies: pick(ofKerf),
  };
  const module = {
    ...{ name: `${name}-service`, ...about, engines, workspaces: ['kerf'] },
    scripts: { start: 'node scripts/start.mjs', test: 'node scripts/test.mjs' },
    dependencies: { kerf: version, ...pick(ofModule) },
    devDependencies: pick(new Set(forWork)),
    optionalDependencies,
  };
  return {
    'package.json': text(module),
    'kerf/package.json': text(kerf),
    'package-lock.json': text(lockOf(module, kerf, lock)),
  };
}

/** Returns the names of the packages that some files import. */
function importedBy(files: Files, which: (path: string) => boolean): Set<string> {
  const sources = Object.entries(files).filter(([path]) => path.endsWith('.ts') && which(path));
  const imported = sources.flatMap(([, source]) => importsOf(source)).filter((each) => !each.startsWith('.'));
  const names = imported.flatMap((specifier) => /^(?:@[^/]+\/)?[^/]+/.exec(specifier)?.[0] ?? []);
  return new Set(names.filter((each) => !each.startsWith('node:') && each !== 'kerf'));
}

function lockOf(module: NewPackage, kerf: NewPackage, { packages, ...lock }: Lock): object {
  const { name, version } = module;
  const own = {
    '': locked(module),
    kerf: locked(kerf),
    'node_modules/kerf': { resolved: 'kerf', link: true },
  };
  return { ...lock, name, version, packages: { ...own, ...reachable(packages, own) } };
}

/** Returns the packages that `own` needs, directly or not, with their entries in the lock file. */
function reachable(packages: Entries, own: Readonly<Record<'' | 'kerf', Locked>>): Entries {
  const found = new Set<string>();
  const visit = (from: string, { dependencies, devDependencies, optionalDependencies, peerDependencies }: Locked) => {
    const names = { ...dependencies, ...devDependencies, ...optionalDependencies, ...peerDependencies };
    for (const name of Object.keys(names)) {
      const path = nearest(packages, from, name);
      if (path === undefined || found.has(path)) continue;
      found.add(path);
      visit(path, packages[path] ?? {});
    }
  };
  visit('', own['']);
  visit('kerf', own.kerf);
  return Object.fromEntries(Object.entries(packages).filter(([path]) => found.has(path)));
}

/** Returns the lock entry of a package in the repository itself. */
function locked(own: object): Locked {
  const left = ['scripts', 'type', 'private', 'exports', 'sideEffects'];
  return Object.fromEntries(Object.entries(own).filter(([key]) => !left.includes(key)));
}

/** Returns the path at which Node finds a package that `from` imports. */
function nearest(packages: Entries, from: string, name: string): string | undefined {
  const inside = from === '' ? `node_modules/${name}` : `${from}/node_modules/${name}`;
  if (Object.hasOwn(packages, inside)) return inside;
  if (from === '') return undefined;
  return nearest(packages, from.replace(/(^|\/)node_modules\/(?:@[^/]+\/)?[^/]+$|^kerf$/, ''), name);
}

function text(value: object): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
