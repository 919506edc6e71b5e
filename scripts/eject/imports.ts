// What a TypeScript file imports, by its syntax: text that looks like an import is none.
import ts from 'typescript';

/** The specifiers of all imports and exports of a source text, dynamic ones included. */
export function importsOf(source: string): string[] {
  return ts.preProcessFile(source, true, true).importedFiles.map(({ fileName }) => fileName);
}
