import ts from 'typescript';
import type { Violation } from './architecture.ts';
import { blame, visit } from './syntax.ts';

export const specifierRules = [
  'imports-can-be-followed',
  'imports-are-spelled-plainly',
  'kerf-is-imported-by-name',
  'modules-are-not-augmented',
];

const computed =
  "It imports by a name that is made while it runs, which no check can follow. Write the name out: import('./that-file.ts').";
const unfollowed =
  "The check does not follow this kind of import, so no rule sees where it leads. Write it as import … from, or as import('./that-file.ts').";
const misspelled =
  'An import is spelled in one way: a path that begins with ./ or ../ and ends in .ts or .json, letter by letter as the file is called; the name of a package; or node: with a module of Node. Not a URL, an absolute path, a #name, a query or an escape: other tools read those differently.';
const byPath =
  "The business imports a room of Kerf by its name, so that the code is the same in a repository of its own. Write 'kerf/module' for src/shared/kernel/module/, and 'kerf/control/host' for src/shared/control/host/.";
const augmented =
  'It changes or pulls in the types of another file without importing it, so no rule sees that. Declare a type of your own, or import the type.';

/**
 * Finds references to other files that the rules for imports did not see. `followed` contains the specifiers of the file that they
 * saw.
 */
export function checkSpecifiers(tree: ts.SourceFile, followed: ReadonlySet<string>): Violation[] {
  const found: Violation[] = [];
  const add = (rule: string, at: ts.Node | number, why: string) => found.push(blame(rule, tree, at, why));
  const directives = [tree.referencedFiles, tree.typeReferenceDirectives, tree.amdDependencies].flat();
  for (const each of directives) add('modules-are-not-augmented', 'pos' in each ? each.pos : 0, augmented);
  visit(tree, (node) => {
    if (ts.isModuleDeclaration(node) && ts.isStringLiteral(node.name))
      add('modules-are-not-augmented', node, augmented);
    const specifier = specifierOf(node);
    if (specifier === undefined) return;
    if (!specifier || !ts.isStringLiteralLike(specifier)) add('imports-can-be-followed', node, computed);
    else if (!isPlain(specifier.text)) add('imports-are-spelled-plainly', node, misspelled);
    else if (tree.fileName.startsWith('src/') && !isOfKerf.test(tree.fileName) && leadsToKerf.test(specifier.text))
      add('kerf-is-imported-by-name', node, byPath);
    else if (!followed.has(specifier.text.replace(/^node:/, ''))) add('imports-can-be-followed', node, unfollowed);
  });
  return found;
}

/** Returns the node that names the target of an import; null without one, undefined when the node is not an import. */
function specifierOf(node: ts.Node): ts.Node | null | undefined {
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node) || ts.isJSDocImportTag(node))
    return node.moduleSpecifier;
  if (ts.isExternalModuleReference(node)) return node.expression ?? null;
  if (ts.isImportTypeNode(node)) return ts.isLiteralTypeNode(node.argument) ? node.argument.literal : null;
  if (ts.isCallExpression(node) && isImport(node.expression)) return node.arguments[0] ?? null;
  return undefined;
}

/** Returns whether a node is a called `import`, `import.defer` or `import.source`. */
function isImport(callee: ts.Node): boolean {
  if (callee.kind === ts.SyntaxKind.ImportKeyword) return true;
  return (
    ts.isMetaProperty(callee) && callee.keywordToken === ts.SyntaxKind.ImportKeyword && callee.name.text !== 'meta'
  );
}

const isOfKerf = /^src\/shared\//;
const leadsToKerf = /^(?:\.\.?\/)+shared\//;
const path = /^\.{1,2}\/(?:[\w@$.+-]+\/)*[\w@$.+-]+\.(?:ts|json)$/;
const packageOrBuiltin = /^(?:node:)?(?:@[\w.-]+\/)?\w[\w.-]*(?:\/\w[\w.-]*)*$/;

function isPlain(specifier: string): boolean {
  return specifier.startsWith('.') ? path.test(specifier) : packageOrBuiltin.test(specifier);
}
