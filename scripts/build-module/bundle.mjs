// Bundles the kernel, one module and the contracts it knows, and nothing of another module's inside.
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { rolldown } from 'rolldown';
import { externals } from '../externals.mjs';
import { node, root } from '../setup.mjs';

export const moduleNames = readdirSync(join(root, 'src', 'modules')).sort();
const entry = 'virtual:entry';

/**
 * Writes the artifact of a module into `folder`. Resolves with `{ files: [{ name, bytes, sources }], packages }`: what it is
 * made of, and what must be installed beside it.
 */
export async function bundleModule(name, folder) {
  const bundle = await rolldown({
    input: { app: entry },
    platform: 'node',
    external: externals,
    logLevel: 'silent',
    plugins: [virtual(entryOf(name))],
  });
  const { output } = await bundle.write({
    dir: folder,
    format: 'esm',
    entryFileNames: 'app.js',
    chunkFileNames: 'chunks/[name]-[hash].js',
  });
  await bundle.close();
  const packages = packagesIn(output);
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(packagesBeside(name, packages), null, 2)}\n`);
  const files = output.map(({ fileName, code = '', moduleIds = [] }) => ({
    name: fileName,
    bytes: Buffer.byteLength(code),
    sources: moduleIds.filter((id) => id.startsWith(root)).map((id) => id.slice(root.length + 1)),
  }));
  return { files, packages };
}

/** The composition of src/app.ts for one module: the others are known by what they say of themselves. */
export function entryOf(name) {
  const all = described();
  const own = all.find(({ about }) => about.name === name);
  const others = all.filter((each) => each !== own);
  const known = new Set([...own.about.uses, ...own.about.listensTo]);
  const file = (module, part) => JSON.stringify(join(root, 'src', 'modules', module, part));
  const kernel = (folder) => JSON.stringify(join(root, 'src', 'shared', folder, 'index.ts'));
  const lines = others.flatMap(({ about: { name: other } }, index) => [
    `import about${index} from ${file(other, 'module.json')} with { type: 'json' };`,
    ...(known.has(other) ? [`import * as contract${index} from ${file(other, 'contract.ts')};`] : []),
  ]);
  const definitions = others.map(({ about: { name: other }, subscribesTo, settings }, index) => {
    const contract = known.has(other) ? `contractIn(contract${index}, '${other}')` : 'undefined';
    return `knownModule({ about: about${index}, contract: ${contract}, subscribesTo: ${JSON.stringify(subscribesTo)}, settings: ${JSON.stringify(settings)} })`;
  });
  return [
    `import own from ${file(name, 'module.ts')};`,
    `import { runAlone } from ${kernel('host')};`,
    `import { contractIn, knownModule } from ${kernel('module')};`,
    ...lines,
    `await runAlone(own, [${definitions.join(', ')}]);`,
  ].join('\n');
}

/** What the modules say of themselves, as the whole program prints it. */
function described() {
  const printed = execFileSync(node(), [join(root, 'dist', 'app.js'), '--modules'], { encoding: 'utf8', cwd: root });
  return JSON.parse(printed);
}

function virtual(text) {
  return {
    name: 'virtual-entry',
    resolveId: (id) => (id === entry ? { id: entry, moduleSideEffects: true } : null),
    load: (id) => (id === entry ? { code: text, moduleType: 'js' } : null),
  };
}

/** The package.json that stands beside a bundle: what must be installed there, all of it unless it is said. */
export function packagesBeside(name, packages = versionsOf(externals)) {
  return { name, private: true, type: 'module', dependencies: packages };
}

/** Those that are imported from outside of the bundle, with the versions this project is locked to. */
function packagesIn(output) {
  const imported = new Set(output.flatMap(({ imports = [], dynamicImports = [] }) => [...imports, ...dynamicImports]));
  return versionsOf(externals.filter((each) => imported.has(each)));
}

function versionsOf(names) {
  const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  return Object.fromEntries(names.map((each) => [each, dependencies[each]]));
}

/** What of the sources has no place in the artifact of a module: the inside of others, and what only the whole system has. */
export function strangers(name, { files }) {
  return files
    .flatMap(({ sources }) => sources)
    .filter((source) => {
      const [, module, rest] = /^src\/modules\/([^/]+)\/(.+)$/.exec(source) ?? [];
      if (module) return module !== name && rest !== 'contract.ts' && rest !== 'module.json';
      return /^src\/(app\.ts|compositions\/|shared\/gateway\/)/.test(source);
    });
}
