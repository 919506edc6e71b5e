// Creates the files of an ejected module's repository: `{ path: text }`.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { ModuleDescription } from '../../src/shared/control/host/index.ts';
import { entryOf, type PathOf } from '../build-module/entry.ts';
import { fail, root } from '../setup.mjs';
import { importsOf } from './imports.ts';
import { type Files, packagesOf } from './packages.ts';
import * as texts from './texts.ts';

const kept = ['.npmrc', 'scripts/supervise.mjs', 'scripts/progress.mjs', 'scripts/bundling.ts', 'deploy/health.mjs'];
const there: PathOf = (name, file) => `./modules/${name}/${file}`;

/** `own` describes the module, `all` describes all modules, and `address` is the future address of the module. */
export function repositoryOf(own: ModuleDescription, all: readonly ModuleDescription[], address: string): Files {
  const { name } = own.about;
  const files: Record<string, string> = { ...shared(), ...modules(own, all) };
  for (const file of kept) files[file] = read(file);
  files['scripts/setup.mjs'] = withKerf(read('scripts/setup.mjs'));
  files['src/app.ts'] =
    `// The program of ${name} alone. All other modules are remote modules, described by their manifests.\n${entryOf(name, all, there)}`;
  files['scripts/start.mjs'] = texts.startScript;
  files['scripts/test.mjs'] = texts.testScript;
  files['scripts/packages.mjs'] = texts.packagesScript;
  files['test/contract.test.ts'] = texts.contractTest(name);
  files['test/contract.json'] = `${JSON.stringify(own.contract, null, 2)}\n`;
  files['rolldown.config.mjs'] = texts.bundler;
  files['vitest.config.ts'] = texts.vitest;
  files['deploy/Dockerfile'] = texts.dockerfile(name, nodeVersion());
  files['.gitignore'] = '/node_modules/\n/dist/\n/data/\n';
  files['topology.yaml'] = texts.topology(name, address);
  files['README.md'] = texts.readme(own.about, address);
  files['tsconfig.json'] = tsconfig();
  return { ...files, ...packagesOf(name, files) };
}

/** Returns the files of `src/shared/` that the repository needs. There, the folder is `kerf/`. */
function shared(): Files {
  const files: Record<string, string> = {};
  const visit = (file: string) => {
    const path = file.replace(/^src\/shared\//, 'kerf/');
    if (Object.hasOwn(files, path)) return;
    const text = read(file);
    files[path] = text;
    for (const imported of relativeImports(text)) visit(join(dirname(file), imported));
  };
  for (const ring of readdirSync(join(root, 'src/shared')))
    for (const room of readdirSync(join(root, 'src/shared', ring))) visit(`src/shared/${ring}/${room}/index.ts`);
  return files;
}

/** Returns the module with its tests, the contracts that it uses, and the module.json of every other module. */
function modules(own: ModuleDescription, all: readonly ModuleDescription[]): Files {
  const files: Record<string, string> = {};
  for (const file of filesIn(`src/modules/${own.about.name}`)) files[file] = read(file);
  const contract = (file: string) => {
    if (Object.hasOwn(files, file)) return;
    const text = read(file);
    files[file] = text;
    for (const imported of relativeImports(text)) contract(join(dirname(file), imported));
  };
  for (const other of [...own.about.uses, ...own.about.listensTo]) contract(`src/modules/${other}/contract.ts`);
  for (const { about } of all)
    files[`src/modules/${about.name}/module.json`] = read(`src/modules/${about.name}/module.json`);
  return files;
}

function relativeImports(text: string): string[] {
  return importsOf(text).filter((path) => path.startsWith('.') && path.endsWith('.ts'));
}

/** In that repository, a change of kerf/ makes the bundle stale too. */
function withKerf(setup: string): string {
  const source = "    join(root, 'src'),\n";
  if (!setup.includes(source)) fail('scripts/setup.mjs does not say any more that src/ is bundled; see scripts/eject/');
  return setup.replace(source, `${source}    join(root, 'kerf'),\n`);
}

/** Returns the Node.js version of the images in this repository. */
function nodeVersion(): string {
  return (
    /^FROM node:(\S+)-slim/m.exec(read('deploy/Dockerfile'))?.[1] ?? fail('deploy/Dockerfile is FROM no node:…-slim')
  );
}

function tsconfig(): string {
  const { compilerOptions }: { readonly compilerOptions: object } = JSON.parse(read('tsconfig.json'));
  return `${JSON.stringify({ compilerOptions, include: ['src', 'kerf', 'test', '*.config.ts'] }, null, 2)}\n`;
}

/** Returns all files below a folder, as paths from the root. */
export function filesIn(folder: string): string[] {
  return readdirSync(join(root, folder)).flatMap((entry) => {
    const path = join(folder, entry);
    return statSync(join(root, path)).isDirectory() ? filesIn(path) : [path];
  });
}

function read(file: string): string {
  return readFileSync(join(root, file), 'utf8');
}
