import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';

/** Parses TypeScript files into syntax trees whose nodes know their parents; `fileName` is the path from `root`. */
export function parseFiles(root, files) {
  return files
    .filter((file) => file.endsWith('.ts'))
    .map((file) =>
      ts.createSourceFile(file, readFileSync(join(root, file), 'utf8'), ts.ScriptTarget.ESNext, true, ts.ScriptKind.TS),
    );
}

/** Calls `look` with every node of a tree and of its JSDoc comments. */
export function visit(node, look) {
  look(node);
  for (const comment of node.jsDoc ?? []) visit(comment, look);
  ts.forEachChild(node, (child) => visit(child, look));
}

/** A violation of `rule` at a node. */
export function blame(rule, tree, node, why) {
  const { line } = tree.getLineAndCharacterOfPosition(node.getStart?.(tree) ?? node.pos ?? 0);
  return { rule, from: tree.fileName, line: line + 1, why };
}

/** Reports files with a syntax error: the check cannot see the code after the error. */
export function syntaxErrors(trees) {
  return trees.flatMap((tree) =>
    tree.parseDiagnostics.slice(0, 1).map(({ start, messageText }) => {
      const said = ts.flattenDiagnosticMessageText(messageText, ' ');
      return blame('every-file-is-read', tree, { pos: start }, `It is not valid TypeScript: ${said} Correct it.`);
    }),
  );
}

/**
 * Binds names to their declarations, in `trees` alone. The returned function tells whether an identifier means a global of the
 * run-time environment: no code declares it, or only an ambient declaration does.
 */
export function bindGlobals(trees) {
  const byName = new Map(trees.map((tree) => [tree.fileName, tree]));
  const host = {
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

function isAmbient(node) {
  if (ts.isSourceFile(node)) return node.isDeclarationFile;
  const isDeclared =
    ts.canHaveModifiers(node) && ts.getModifiers(node)?.some(({ kind }) => kind === ts.SyntaxKind.DeclareKeyword);
  return isDeclared || isAmbient(node.parent);
}
