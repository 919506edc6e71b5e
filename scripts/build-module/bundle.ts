// Bundles the kernel, one module and the contracts that it uses, without implementations of other modules.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type OutputAsset, type OutputChunk, type Plugin, rolldown } from 'rolldown';
import type { ModuleDescription } from '../../src/shared/control/host/index.ts';
import { externals, oneByte } from '../bundling.ts';
import { readPackage, type Versions } from '../package.ts';
import { app } from '../programs.ts';
import { fail, node, root } from '../setup.mjs';
import { entryOf } from './entry.ts';

export interface Artifact {
  /** `atStart`: whether every start of the artifact loads the file. Otherwise its first use loads it. */
  readonly files: readonly {
    readonly name: string;
    readonly bytes: number;
    readonly atStart: boolean;
    readonly sources: readonly string[];
  }[];
  /** The packages to install beside it. */
  readonly packages: Versions;
}
type Output = readonly (OutputChunk | OutputAsset)[];

/** The modules with an implementation here. The repository of an ejected module builds that module. */
export const moduleNames = readdirSync(join(root, 'src', 'modules'))
  .filter((name) => existsSync(join(root, 'src', 'modules', name, 'internal')))
  .sort();
const entry = 'virtual:entry';

/**
 * Writes the artifact of a module into `folder`. Rejects, and writes nothing, when it would contain forbidden sources.
 */
export async function bundleModule(name: string, folder: string): Promise<Artifact> {
  const output = await bundled(name);
  const atStart = readAtStart(output);
  const files = output.map((each) => ({
    name: each.fileName,
    bytes: Buffer.byteLength(contentOf(each)),
    atStart: atStart.has(each.fileName),
    sources: each.type === 'chunk' ? each.moduleIds.flatMap((id) => sourceOf(id) ?? []) : [],
  }));
  const [stranger] = strangers(name, { files });
  if (stranger)
    throw new Error(
      `the artifact of ${name} would hold ${stranger}, which is none of its business: see npm run boundaries`,
    );
  mkdirSync(join(folder, 'chunks'), { recursive: true });
  for (const each of output) writeFileSync(join(folder, each.fileName), contentOf(each));
  const packages = packagesIn(output);
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(packagesBeside(name, packages), null, 2)}\n`);
  return { files, packages };
}

function contentOf(file: OutputChunk | OutputAsset): string | Uint8Array {
  return file.type === 'chunk' ? file.code : file.source;
}

async function bundled(name: string): Promise<Output> {
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

/** Returns the descriptions of the modules, as the whole program prints them. */
export function described(): ModuleDescription[] {
  const printed = execFileSync(node(), [app, '--modules'], { encoding: 'utf8', cwd: root });
  return JSON.parse(printed);
}

function virtual(text: string): Plugin {
  return {
    name: 'virtual-entry',
    resolveId: (id) => (id === entry ? { id: entry, moduleSideEffects: true } : null),
    load: (id) => (id === entry ? { code: text, moduleType: 'js' } : null),
  };
}

/** Returns the path of a source file; undefined for a module that the bundler generates. */
function sourceOf(id: string): string | undefined {
  const path = id.replaceAll('\\', '/');
  const from = `${root.replaceAll('\\', '/')}/`;
  return path.startsWith(from) ? path.slice(from.length) : /\/(node_modules\/.+)$/.exec(path)?.[1];
}

/** Returns the entry and its static imports, direct and indirect. Other chunks load on first use. */
function readAtStart(output: Output): Set<string> {
  const chunks = new Map(chunksOf(output).map((chunk) => [chunk.fileName, chunk]));
  const found = new Set<string>();
  const visit = (name: string) => {
    const chunk = chunks.get(name);
    if (!chunk || found.has(name)) return;
    found.add(name);
    for (const imported of chunk.imports) visit(imported);
  };
  visit('app.js');
  return found;
}

function chunksOf(output: Output): OutputChunk[] {
  return output.filter((each) => each.type === 'chunk');
}

/** Returns the package.json beside a bundle with the packages to install; by default all external packages. */
export function packagesBeside(name: string, packages = versionsOf(externals)) {
  return { name, private: true, type: 'module', dependencies: packages };
}

/** Returns the packages that the bundle imports, with the versions of the lock file. */
function packagesIn(output: Output): Versions {
  const imported = new Set(chunksOf(output).flatMap((chunk) => [...chunk.imports, ...chunk.dynamicImports]));
  return versionsOf(externals.filter((each) => imported.has(each)));
}

function versionsOf(names: readonly string[]): Versions {
  const { dependencies = {} } = readPackage(root);
  return Object.fromEntries(
    names.map((each) => [each, dependencies[each] ?? fail(`${each} (scripts/bundling.ts) is no dependency`)]),
  );
}

/** Returns sources that must not be in the artifact of a module: implementations of other modules, and parts of the home process. */
export function strangers(
  name: string,
  { files }: { readonly files: readonly Pick<Artifact['files'][number], 'sources'>[] },
): string[] {
  return files
    .flatMap(({ sources }) => sources)
    .filter((source) => {
      const [, module, rest = ''] = /^src\/modules\/([^/]+)\/(.+)$/.exec(source) ?? [];
      if (module) return module !== name && rest !== 'contract.ts' && rest !== 'module.json';
      return /^src\/(app\.ts|compositions\/|shared\/control\/gateway\/gateway\.ts$)/.test(source);
    });
}
