import { join } from 'node:path';
import ts from 'typescript';

/** The parsed files of all programs. Parsing the declarations of the packages takes most of the time. */
const parsed = new Map<string, ts.SourceFile | undefined>();

/**
 * Returns the type errors in some files of a repository. Other files only give their types: tsc itself checks them too, and
 * takes several times as long.
 */
export function typeErrors(folder: string, isChecked: (path: string) => boolean): string[] {
  const { config } = ts.readConfigFile(join(folder, 'tsconfig.json'), ts.sys.readFile);
  const { options, fileNames, errors } = ts.parseJsonConfigFileContent(config, ts.sys, folder);
  const host = ts.createCompilerHost(options);
  const { getSourceFile } = host;
  host.getCurrentDirectory = () => folder;
  host.getSourceFile = (name, ...rest) => {
    if (!name.includes('/node_modules/')) return getSourceFile(name, ...rest);
    if (!parsed.has(name)) parsed.set(name, getSourceFile(name, ...rest));
    return parsed.get(name);
  };
  const within = (name: string) => name.startsWith(`${folder}/`) && isChecked(name.slice(folder.length + 1));
  const program = ts.createProgram({ rootNames: fileNames.filter(within), options, host });
  const checked = program.getSourceFiles().filter(({ fileName }) => within(fileName));
  const found = checked.flatMap((file) => [
    ...program.getSyntacticDiagnostics(file),
    ...program.getSemanticDiagnostics(file),
  ]);
  const all = [...errors, ...program.getOptionsDiagnostics(), ...program.getGlobalDiagnostics(), ...found];
  if (checked.length === 0) return ['no file was checked'];
  return all.map((each) => ts.formatDiagnostic(each, host));
}
