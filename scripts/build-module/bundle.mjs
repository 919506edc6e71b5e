// Bundles the kernel, one module and the contracts it knows, and nothing of another module's inside.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { rolldown } from 'rolldown';
import { externals } from '../externals.mjs';
import { oneByte } from '../one-byte.mjs';
import { fail, node, root } from '../setup.mjs';
import { entryOf } from './entry.mjs';

/** The modules with an inside here. The repository of an ejected module builds that module. */
export const moduleNames = readdirSync(join(root, 'src', 'modules'))
  .filter((name) => existsSync(join(root, 'src', 'modules', name, 'internal')))
  .sort();
const entry = 'virtual:entry';

/**
 * Writes the artifact of a module into `folder`. Resolves with `{ files: [{ name, bytes, atStart, sources }], packages }`: what
 * it is made of, and what must be installed beside it. Rejects, and writes nothing, when it would hold what has no place there.
 */
export async function bundleModule(name, folder) {
  const output = await bundled(name);
  const atStart = readAtStart(output);
  const files = output.map(({ fileName, code = '', moduleIds = [] }) => ({
    name: fileName,
    bytes: Buffer.byteLength(code),
    atStart: atStart.has(fileName),
    sources: moduleIds.map(sourceOf).filter((source) => source !== undefined),
  }));
  const [stranger] = strangers(name, { files });
  if (stranger)
    throw new Error(
      `the artifact of ${name} would hold ${stranger}, which is none of its business: see npm run boundaries`,
    );
  mkdirSync(join(folder, 'chunks'), { recursive: true });
  for (const { fileName, code } of output) writeFileSync(join(folder, fileName), code);
  const packages = packagesIn(output);
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(packagesBeside(name, packages), null, 2)}\n`);
  return { files, packages };
}

async function bundled(name) {
  const bundle = await rolldown({
    input: { app: entry },
    platform: 'node',
    external: externals,
    logLevel: 'silent',
    plugins: [virtual(entryOf(name, described())), oneByte],
  });
  const { output } = await bundle.generate({
    format: 'esm',
    entryFileNames: 'app.js',
    chunkFileNames: 'chunks/[name]-[hash].js',
  });
  await bundle.close();
  return output;
}

/** What the modules say of themselves, as the whole program prints it. */
export function described() {
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

/** Returns the path of a source file; undefined for a module that the bundler generates. */
function sourceOf(id) {
  const path = id.replaceAll('\\', '/');
  const from = `${root.replaceAll('\\', '/')}/`;
  return path.startsWith(from) ? path.slice(from.length) : /\/(node_modules\/.+)$/.exec(path)?.[1];
}

/** Returns the entry and its static imports, direct and indirect. Other chunks load on first use. */
function readAtStart(output) {
  const chunks = new Map(output.map((chunk) => [chunk.fileName, chunk]));
  const found = new Set();
  const visit = (name) => {
    if (!chunks.has(name) || found.has(name)) return;
    found.add(name);
    for (const imported of chunks.get(name).imports ?? []) visit(imported);
  };
  visit('app.js');
  return found;
}

/** Returns the package.json beside a bundle with the packages to install; by default all external packages. */
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
  return Object.fromEntries(
    names.map((each) => [each, dependencies[each] ?? fail(`${each} (scripts/externals.mjs) is no dependency`)]),
  );
}

/** Returns sources that must not be in the artifact of a module: insides of other modules, and parts of the home process. */
export function strangers(name, { files }) {
  return files
    .flatMap(({ sources }) => sources)
    .filter((source) => {
      const [, module, rest] = /^src\/modules\/([^/]+)\/(.+)$/.exec(source) ?? [];
      if (module) return module !== name && rest !== 'contract.ts' && rest !== 'module.json';
      return /^src\/(app\.ts|compositions\/|shared\/control\/gateway\/gateway\.ts$)/.test(source);
    });
}
