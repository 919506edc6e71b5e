// What must be installed in the repository of a module that leaves: its package.json, the kernel's, and their lock.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fail, root } from '../setup.mjs';
import { importsOf } from './imports.mjs';

const tools = ['rolldown', 'typescript', 'vitest', '@types/node'];

/** By what `files` import, in the versions that this repository is locked to. */
export function packagesOf(name, files) {
  const own = json('package.json');
  const lock = json('package-lock.json');
  const versions = { ...own.devDependencies, ...own.dependencies };
  const pick = (names) =>
    Object.fromEntries([...names].sort().map((each) => [each, versions[each] ?? fail(`${each} is no dependency`)]));
  const ofKernel = importedBy(files, (path) => path.startsWith('kernel/'));
  const ofModule = importedBy(files, (path) => path.startsWith('src/') && !path.endsWith('.test.ts'));
  const ofTests = importedBy(files, (path) => path.endsWith('.test.ts'));
  const types = [...ofKernel, ...ofModule].map((each) => `@types/${each}`).filter((each) => versions[each]);
  const forWork = [...tools, ...types, ...[...ofTests].filter((each) => !ofModule.has(each))];
  const { version, engines, optionalDependencies } = own;
  const about = { version, private: true, type: 'module' };
  const kernel = { name: '@kerf/kernel', ...about, exports: { './*': './*/index.ts' }, dependencies: pick(ofKernel) };
  const module = {
    ...{ name: `${name}-service`, ...about, engines, workspaces: ['kernel'] },
    scripts: { start: 'node scripts/start.mjs', test: 'node scripts/test.mjs' },
    dependencies: { '@kerf/kernel': version, ...pick(ofModule) },
    devDependencies: pick(new Set(forWork)),
    optionalDependencies,
  };
  return {
    'package.json': text(module),
    'kernel/package.json': text(kernel),
    'package-lock.json': text(lockOf(module, kernel, lock)),
  };
}

/** The packages whose names stand in the imports of some files. */
function importedBy(files, which) {
  const sources = Object.entries(files).filter(([path]) => path.endsWith('.ts') && which(path));
  const imported = sources.flatMap(([, source]) => importsOf(source)).filter((each) => !each.startsWith('.'));
  const names = imported.map((specifier) => /^(?:@[^/]+\/)?[^/]+/.exec(specifier)[0]);
  return new Set(names.filter((each) => !each.startsWith('node:') && each !== '@kerf/kernel'));
}

function lockOf(module, kernel, { packages, ...lock }) {
  const locked = ({ scripts: _, type: __, private: ___, exports: ____, ...rest }) => rest;
  const { name, version } = module;
  const own = {
    '': locked(module),
    kernel: locked(kernel),
    'node_modules/@kerf/kernel': { resolved: 'kernel', link: true },
  };
  return { ...lock, name, version, packages: { ...own, ...reachable(packages, own) } };
}

/** Those that are needed from the first ones on, each where the lock has it for who needs it. */
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
  visit('kernel', own.kernel);
  return Object.fromEntries(Object.entries(packages).filter(([path]) => found.has(path)));
}

/** Where Node would find a package that `from` asks for. */
function nearest(packages, from, name) {
  const inside = from === '' ? `node_modules/${name}` : `${from}/node_modules/${name}`;
  if (Object.hasOwn(packages, inside)) return inside;
  if (from === '') return undefined;
  return nearest(packages, from.replace(/(^|\/)node_modules\/(?:@[^/]+\/)?[^/]+$|^kernel$/, ''), name);
}

function text(value) {
  return `${JSON.stringify(value, null, 2)}\n`;
}

function json(file) {
  return JSON.parse(readFileSync(join(root, file), 'utf8'));
}
