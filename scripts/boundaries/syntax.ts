import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import type { Violation } from './architecture.ts';

/** Members of TypeScript's syntax trees that its types omit. */
interface Untold {
  readonly jsDoc?: readonly ts.Node[];
  readonly parseDiagnostics?: readonly ts.DiagnosticWithLocation[];
}

/** Parses TypeScript files into syntax trees whose nodes know their parents; `fileName` is the path from `root`. */
export function parseFiles(root: string, files: readonly string[]): ts.SourceFile[] {
  return files
    .filter((file) => file.endsWith('.ts'))
    .map((file) =>
      ts.createSourceFile(file, readFileSync(join(root, file), 'utf8'), ts.ScriptTarget.ESNext, true, ts.ScriptKind.TS),
    );
}

/** Calls `look` with every node of a tree and of its JSDoc comments. */
export function visit(node: ts.Node, look: (node: ts.Node) => void): void {
  look(node);
  const { jsDoc = [] }: ts.Node & Untold = node;
  for (const comment of jsDoc) visit(comment, look);
  ts.forEachChild(node, (child) => visit(child, look));
}

/** Returns a violation of `rule` at a node, or at a position in the text. */
export function blame(rule: string, tree: ts.SourceFile, at: ts.Node | number, why: string): Violation {
  const { line } = tree.getLineAndCharacterOfPosition(typeof at === 'number' ? at : at.getStart(tree));
  return { rule, from: tree.fileName, line: line + 1, why };
}

/** Reports files with a syntax error: the check cannot see the code after the error. */
export function syntaxErrors(trees: readonly (ts.SourceFile & Untold)[]): Violation[] {
  return trees.flatMap((tree) =>
    (tree.parseDiagnostics ?? []).slice(0, 1).map(({ start, messageText }) => {
      const said = ts.flattenDiagnosticMessageText(messageText, ' ');
      const why = `It is not valid TypeScript: ${said} Correct it.`;
      return blame('every-file-is-read', tree, start, why);
    }),
  );
}

/**
 * Binds names to their declarations, only in `trees`. The returned function tells whether an identifier is a global of the
 * run-time environment: no code declares it, or only an ambient declaration does.
 */
export function bindGlobals(trees: readonly ts.SourceFile[]): (identifier: ts.Identifier) => boolean {
  const byName = new Map(trees.map((tree) => [tree.fileName, tree]));
  const host: ts.CompilerHost = {
    getSourceFile: (name) => byName.get(name),
    getDefaultLibFileName: () => '',
    getCurrentDirectory: () => '',
    getCanonicalFileName: (name) => name,
    useCaseSensitiveFileNames: () => true,
    getNewLine: () => '\n',
    fileExists: () => false,
    readFile: () => undefined,
    writeFile: () => {},
  };
  const options = { noLib: true, noResolve: true, types: [], target: ts.ScriptTarget.ESNext };
  const checker = ts.createProgram({ rootNames: [...byName.keys()], options, host }).getTypeChecker();
  return (identifier) => {
    const symbol = ts.isShorthandPropertyAssignment(identifier.parent)
      ? checker.getShorthandAssignmentValueSymbol(identifier.parent)
      : checker.getSymbolAtLocation(identifier);
    const tree = identifier.getSourceFile();
    return !symbol?.declarations?.some((each) => each.getSourceFile() === tree && !isAmbient(each));
  };
}

function isAmbient(node: ts.Node): boolean {
  if (ts.isSourceFile(node)) return node.isDeclarationFile;
  const isDeclared =
    ts.canHaveModifiers(node) && ts.getModifiers(node)?.some(({ kind }) => kind === ts.SyntaxKind.DeclareKeyword);
  return isDeclared || isAmbient(node.parent);
}
