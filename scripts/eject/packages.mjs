// Makes package.json, kerf/package.json and package-lock.json for an ejected repository.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fail, root } from '../setup.mjs';
import { importsOf } from './imports.mjs';

const tools = ['rolldown', 'typescript', 'vitest', '@types/node'];

/** Derives the dependencies from the imports of `files`, in the locked versions of this repository. */
export function packagesOf(name, files) {
  const own = json('package.json');
  const lock = json('package-lock.json');
  const versions = { ...own.devDependencies, ...own.dependencies };
  const pick = (names) =>
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
    exports: { './*': './*/index.ts' },
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
function importedBy(files, which) {
  const sources = Object.entries(files).filter(([path]) => path.endsWith('.ts') && which(path));
  const imported = sources.flatMap(([, source]) => importsOf(source)).filter((each) => !each.startsWith('.'));
  const names = imported.map((specifier) => /^(?:@[^/]+\/)?[^/]+/.exec(specifier)[0]);
  return new Set(names.filter((each) => !each.startsWith('node:') && each !== 'kerf'));
}

function lockOf(module, kerf, { packages, ...lock }) {
  const locked = ({ scripts: _, type: __, private: ___, exports: ____, sideEffects: _____, ...rest }) => rest;
  const { name, version } = module;
  const own = {
    '': locked(module),
    kerf: locked(kerf),
    'node_modules/kerf': { resolved: 'kerf', link: true },
  };
  return { ...lock, name, version, packages: { ...own, ...reachable(packages, own) } };
}

/** Returns the packages that `own` needs, directly or not, with their entries of the lock. */
function reachable(packages, own) {
  const found = new Set();
  const visit = (from, { dependencies, devDependencies, optionalDependencies, peerDependencies }) => {
    const names = { ...dependencies, ...devDependencies, ...optionalDependencies, ...peerDependencies };
    for (const name of Object.keys(names)) {
      const path = nearest(packages, from, name);
      if (path === undefined || found.has(path)) continue;
      found.add(path);
      visit(path, packages[path]);
    }
  };
  visit('', own['']);
  visit('kerf', own.kerf);
  return Object.fromEntries(Object.entries(packages).filter(([path]) => found.has(path)));
}

/** Where Node would find a package that `from` asks for. */
function nearest(packages, from, name) {
  const inside = from === '' ? `node_modules/${name}` : `${from}/node_modules/${name}`;
  if (Object.hasOwn(packages, inside)) return inside;
  if (from === '') return undefined;
  return nearest(packages, from.replace(/(^|\/)node_modules\/(?:@[^/]+\/)?[^/]+$|^kerf$/, ''), name);
}

function text(value) {
  return `${JSON.stringify(value, null, 2)}\n`;
}

function json(file) {
  return JSON.parse(readFileSync(join(root, file), 'utf8'));
}
