// Reads the imports of a TypeScript file from its syntax, so that text that looks like an import does not count.
import ts from 'typescript';

/** Returns the specifiers of all imports and exports of a source text, including dynamic ones. */
export function importsOf(source: string): string[] {
  return ts.preProcessFile(source, true, true).importedFiles.map(({ fileName }) => fileName);
}
