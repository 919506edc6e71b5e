import { existsSync, lstatSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import ts from 'typescript';
import { exportsIn, readPackage } from '../package.ts';
import type { Violation } from './architecture.ts';

/** Returns the paths of all files under a folder, from the root of the project, with slashes. */
export function filesUnder(root: string, folder: string): string[] {
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) =>
      join(entry.parentPath, entry.name)
        .slice(root.length + 1)
        .replaceAll('\\', '/'),
    )
    .sort();
}

/** Reports files that the check did not read, so that no rule covers them. */
export function unread(files: readonly string[], cruised: readonly string[]): Violation[] {
  const seen = new Set(cruised);
  const notes = /\.md$|^src\/modules\/[^/]+\/module\.json$/;
  return files
    .filter((file) => !seen.has(file) && !notes.test(file))
    .map((from) => ({
      rule: 'every-file-is-read',
      from,
      why: 'The check could not read this file, so no rule holds in it. Under src/ there is TypeScript (.ts), module.json and notes (.md); put anything else outside.',
    }));
}

/** Reports links: they give a file a second path, which no rule covers. */
export function links(root: string, files: readonly string[]): Violation[] {
  return files
    .filter((file) => lstatSync(join(root, file)).isSymbolicLink())
    .map((from) => ({
      rule: 'no-file-is-a-link',
      from,
      why: 'It is a link, so one file has two names, and rules hold for one of them. Put the file itself here, or import it from where it is.',
    }));
}

/** Reports settings that map a name in an import to another file. */
export function remappedNames(root: string): Violation[] {
  const { imports, exports: own, dependencies = {} } = readPackage(root);
  const exports = isDeepStrictEqual(own, exportsIn('./src/shared')) ? undefined : own;
  const elsewhere = Object.entries(dependencies).find(([, version]) =>
    /^(?:file|link|portal|workspace|npm):/.test(version),
  );
  const { baseUrl, paths, rootDirs } = compilerOptions(join(root, 'tsconfig.json'));
  const faults = { ...{ imports, exports }, ...(elsewhere && { [elsewhere[0]]: elsewhere[1] }) };
  return [...remapped('package.json', faults), ...remapped('tsconfig.json', { baseUrl, paths, rootDirs })];
}

function remapped(from: string, settings: Readonly<Record<string, unknown>>): Violation[] {
  const names = Object.keys(settings).filter((name) => settings[name] !== undefined);
  return names.map((name) => ({
    rule: 'names-are-not-remapped',
    from,
    why: `"${name}" makes a name in an import lead elsewhere than it says, so that tools disagree about where. Take it out, and import by the path of the file or the name of the package.`,
  }));
}

/** Reads the compiler options like TypeScript, with the extended files. */
function compilerOptions(file: string): ts.CompilerOptions {
  if (!existsSync(file)) return {};
  const host: ts.ParseConfigHost = { ...ts.sys, readDirectory: () => [] };
  const { config } = ts.readConfigFile(file, host.readFile);
  return ts.parseJsonConfigFileContent(config ?? {}, host, dirname(file)).options;
}
