// The thread of type-check.ts.
import { dirname, join } from 'node:path';
import { parentPort } from 'node:worker_threads';
import ts from 'typescript';
import { root } from '../setup.mjs';
import type { CheckAnswer } from './type-check.ts';

const source = join(root, 'src/');
/** More files than this import a file of the kernel: the whole check finds their errors. */
const mostImporters = 12;

const config = readConfig();
const answer = (message: CheckAnswer) => parentPort?.postMessage(message);
answer({ id: 0, errors: config.errors });
if (config.errors === '') serve(config.options, config.fileNames);

function serve(options: ts.CompilerOptions, fileNames: readonly string[]): void {
  const files = new Set(fileNames.filter((file) => file.startsWith(source) && !isTest(file)));
  const versions = new Map<string, number>();
  const service = ts.createLanguageService({
    getScriptFileNames: () => [...files],
    getScriptVersion: (file) => String(versions.get(file) ?? 0),
    getScriptSnapshot(file) {
      const text = ts.sys.readFile(file);
      return text === undefined ? undefined : ts.ScriptSnapshot.fromString(text);
    },
    getCurrentDirectory: () => root,
    getCompilationSettings: () => options,
    getDefaultLibFileName: (given) => ts.getDefaultLibFilePath(given),
    fileExists: ts.sys.fileExists,
    readFile: ts.sys.readFile,
    readDirectory: ts.sys.readDirectory,
    directoryExists: ts.sys.directoryExists,
    getDirectories: ts.sys.getDirectories,
  });
  service.getProgram();
  parentPort?.on('message', ({ id, files: changed }: { id: number; files: readonly string[] }) => {
    for (const file of changed) {
      versions.set(file, (versions.get(file) ?? 0) + 1);
      if (!ts.sys.fileExists(file)) files.delete(file);
      else if (file.endsWith('.ts')) files.add(file);
    }
    const checked = [...new Set([...changed.filter((file) => files.has(file)), ...importersOf(service, changed)])];
    const found = checked.flatMap((file) => [
      ...service.getSyntacticDiagnostics(file),
      ...service.getSemanticDiagnostics(file),
    ]);
    answer({ id, errors: shown(found) });
  });
}

/** Returns the files that import these files by path. */
function importersOf(service: ts.LanguageService, changed: readonly string[]): string[] {
  const importers = (service.getProgram()?.getSourceFiles() ?? [])
    .filter(({ fileName }) => fileName.startsWith(source))
    .filter(({ fileName, text }) =>
      [...text.matchAll(/from '(\.[^']+)'/g)].some(([, path = '']) => changed.includes(join(dirname(fileName), path))),
    );
  return importers.length > mostImporters ? [] : importers.map(({ fileName }) => fileName);
}

function readConfig() {
  const file = join(root, 'tsconfig.json');
  const { config: read, error } = ts.readConfigFile(file, ts.sys.readFile);
  if (error) return { options: {}, fileNames: [], errors: shown([error]) };
  const { options, fileNames, errors } = ts.parseJsonConfigFileContent(read, ts.sys, root, {}, file);
  return { options, fileNames, errors: shown(errors) };
}

function shown(diagnostics: readonly ts.Diagnostic[]): string {
  const host: ts.FormatDiagnosticsHost = {
    getCurrentDirectory: () => root,
    getCanonicalFileName: (name) => name,
    getNewLine: () => '\n',
  };
  return ts.formatDiagnostics(diagnostics, host).trim();
}

function isTest(file: string): boolean {
  return /\.(test|cases|scene)\.ts$/.test(file) || file.includes('/kernel/testing/');
}
