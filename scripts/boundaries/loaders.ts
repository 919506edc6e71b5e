import ts from 'typescript';
import type { Violation } from './architecture.ts';
import { bindGlobals, blame, visit } from './syntax.ts';

export const loaderRules = ['code-is-loaded-by-imports', 'import-meta-stays-at-home'];

/** Globals that load code, reveal its location, or give access to such a global. */
const globals = new Set([
  ...['require', 'module', '__filename', '__dirname', 'eval', 'Function', 'ShadowRealm', 'Worker', 'SharedWorker'],
  ...['globalThis', 'global', 'process'],
]);
/** The members of globals that load code. */
const loaders: Readonly<Record<'process' | 'module', ReadonlySet<string>>> = {
  process: new Set(['getBuiltinModule', 'mainModule', 'dlopen', 'binding', '_linkedBinding', '_eval', 'execve']),
  module: new Set(['require', 'constructor', 'children', 'parent', '_compile', '_load']),
};
const locations = ['url', 'dirname', 'filename'];
const mocks = new Set(['mock', 'doMock', 'unmock', 'doUnmock', 'importActual', 'importMock']);

/**
 * Finds code that loads or locates code without an import: by globals, by `import.meta`, by the constructor of functions, by
 * Vitest. `homes` are the files under src/ that may read their location from `import.meta`.
 */
export function checkLoaders(trees: readonly ts.SourceFile[], homes: readonly string[]): Violation[] {
  const suspects = trees.flatMap((tree) => suspectsIn(tree).map((suspect) => ({ tree, ...suspect })));
  const named = suspects.filter(({ node }) => ts.isIdentifier(node));
  const isGlobal = bindGlobals([...new Set(named.map(({ tree }) => tree))]);
  return suspects
    .filter(({ node }) => !ts.isIdentifier(node) || isGlobal(node))
    .filter(({ tree, fault }) => fault !== location || !homes.includes(tree.fileName))
    .map(({ tree, node, fault }) =>
      fault === location
        ? blame('import-meta-stays-at-home', tree, node, tells(homes))
        : blame('code-is-loaded-by-imports', tree, node, loads(fault)),
    );
}

const loads = (what: string) =>
  `${what} can load code that no rule sees. Write import, or import('./that-file.ts') with the name written out. Of a global, write the one member that you need, such as process.env.`;

/** Marks code that reads its own location from `import.meta`. */
const location = Symbol('location');
type Fault = string | typeof location;

const tells = (homes: readonly string[]) =>
  `Only ${homes.join(', ')} may ask import.meta where it stands: from there a path leads to every other file, and the bundle stands elsewhere. Import the file that you need, or have the path of its folder handed in. If this is a home as well, add it to "importMeta" in .dependency-cruiser.js.`;

function suspectsIn(tree: ts.SourceFile): { node: ts.Node; fault: Fault }[] {
  const found: { node: ts.Node; fault: Fault }[] = [];
  visit(tree, (node) => {
    const fault = faultOf(node);
    if (fault !== undefined) found.push({ node, fault });
  });
  return found;
}

/** Returns the fault of a node by its syntax alone. Its identifier may still refer to a declaration in the file. */
function faultOf(node: ts.Node): Fault | undefined {
  if (ts.isIdentifier(node))
    return globals.has(node.text) && isMention(node) ? judgeGlobal(node, node.text) : undefined;
  if (ts.isMetaProperty(node)) return node.keywordToken === ts.SyntaxKind.ImportKeyword ? judgeMeta(node) : undefined;
  if (namesConstructor(node)) return judgeConstructor(node);
  return judgeMock(node);
}

/** Returns whether an identifier refers to a value, and not to a member, a declaration, a label or a type. */
function isMention(node: ts.Identifier): boolean {
  const { parent } = node;
  if (ts.isPropertyAccessExpression(parent)) return parent.expression === node && !isOfType(node);
  if (ts.isQualifiedName(parent)) return parent.left === node && !isOfType(node);
  if (ts.isImportSpecifier(parent) || ts.isExportSpecifier(parent) || ts.isMetaProperty(parent)) return false;
  if (ts.isLabeledStatement(parent) || ts.isBreakOrContinueStatement(parent)) return false;
  if (ts.isBindingElement(parent) && parent.initializer === node) return true;
  if (ts.isShorthandPropertyAssignment(parent)) return true;
  const { name, propertyName }: ts.Node & Naming = parent;
  return name !== node && propertyName !== node && !isOfType(node);
}

/** The names of a node: its own, or the name of the member that it reads. */
interface Naming {
  readonly name?: ts.Node;
  readonly propertyName?: ts.Node;
}

function isOfType(node: ts.Node): boolean {
  for (let each = node; each && !ts.isStatement(each); each = each.parent) {
    if (ts.isJSDoc(each) || (ts.isTypeNode(each) && !isBaseClass(each))) return true;
  }
  return false;
}

function isBaseClass(node: ts.Node): boolean {
  if (!ts.isExpressionWithTypeArguments(node) || !ts.isHeritageClause(node.parent)) return false;
  return ts.isClassLike(node.parent.parent) && node.parent.token === ts.SyntaxKind.ExtendsKeyword;
}

function judgeGlobal(node: ts.Node, name: string): string | undefined {
  if (ts.isTypeOfExpression(outermost(node).parent)) return undefined;
  const members = membersOf(node);
  if (name === 'process' || name === 'module') {
    if (!members) return name === 'process' || isRenamed(node) ? `Whatever takes the whole of ${name}` : undefined;
    const loader = members.find((member) => loaders[name].has(member.name));
    return loader && `${name}.${loader.name}`;
  }
  if (name === 'globalThis' || name === 'global') {
    if (!members) return `Whatever takes the whole of ${name}`;
    const faults = members.filter((member) => globals.has(member.name));
    return faults.map((member) => (member.node ? judgeGlobal(member.node, member.name) : member.name)).find(Boolean);
  }
  if (name === 'Function' && (isInstanceOf(node) || members?.every((member) => member.name === 'prototype')))
    return undefined;
  return name;
}

/** Returns whether `module` is renamed or read by a computed name. Otherwise it may be a variable: ECMAScript modules have no `module`. */
function isRenamed(node: ts.Node): boolean {
  const { parent } = outermost(node);
  return ts.isVariableDeclaration(parent) || ts.isElementAccessExpression(parent);
}

function judgeMeta(node: ts.MetaProperty): Fault | undefined {
  if (node.name.text !== 'meta') return undefined;
  const members = membersOf(node);
  const loader = members?.find((member) => member.name !== 'main' && !locations.includes(member.name));
  if (!members || loader) return `import.meta${loader ? `.${loader.name}` : ''}`;
  return members.some((member) => locations.includes(member.name)) ? location : undefined;
}

/** The constructor of a function is `Function`, which creates code from text. */
function namesConstructor(node: ts.Node): boolean {
  if (ts.isPropertyAccessExpression(node)) return node.name.text === 'constructor';
  if (ts.isElementAccessExpression(node))
    return ts.isStringLiteralLike(node.argumentExpression) && node.argumentExpression.text === 'constructor';
  if (ts.isPropertyAssignment(node) || ts.isShorthandPropertyAssignment(node))
    return nameOf(node) === 'constructor' && isAssigned(node.parent);
  return ts.isBindingElement(node) && ts.isObjectBindingPattern(node.parent) && nameOf(node) === 'constructor';
}

/** Returns whether an object literal destructures a value: `({ name } = value)`. */
function isAssigned(node: ts.Node): boolean {
  const { parent } = outermost(node);
  return ts.isBinaryExpression(parent) && parent.operatorToken.kind === EqualsToken && parent.left === node;
}

function isAccess(node: ts.Node): node is ts.PropertyAccessExpression | ts.ElementAccessExpression {
  return ts.isPropertyAccessExpression(node) || ts.isElementAccessExpression(node);
}

function judgeConstructor(node: ts.Node): string | undefined {
  if (isAccess(node) && node.expression.kind === ts.SyntaxKind.ThisKeyword) return undefined;
  const value = outermost(node);
  const { parent } = value;
  if (ts.isSwitchStatement(parent)) return undefined;
  if (ts.isBinaryExpression(parent) && (comparisons.has(parent.operatorToken.kind) || parent.left === value))
    return undefined;
  return membersOf(node)?.every((member) => member.name === 'name') ? undefined : 'The constructor of a function';
}

const { EqualsToken, EqualsEqualsToken, EqualsEqualsEqualsToken, InstanceOfKeyword } = ts.SyntaxKind;
const { ExclamationEqualsToken, ExclamationEqualsEqualsToken } = ts.SyntaxKind;
const comparisons = new Set<ts.SyntaxKind>([
  ...[EqualsEqualsToken, EqualsEqualsEqualsToken, ExclamationEqualsToken, ExclamationEqualsEqualsToken],
]);

function isInstanceOf(node: ts.Node): boolean {
  const value = outermost(node);
  return (
    ts.isBinaryExpression(value.parent) &&
    value.parent.operatorToken.kind === InstanceOfKeyword &&
    value.parent.right === value
  );
}

/** Reports a mock of Vitest, which names a file like an import. */
function judgeMock(node: ts.Node): string | undefined {
  const [name, value] = takenMember(node);
  return name !== undefined && mocks.has(name) && value && isVi(value) ? `vi.${name}` : undefined;
}

/** Returns the name of a member and the value whose member a node reads. */
function takenMember(node: ts.Node): [name?: string | undefined, value?: ts.Node | undefined] {
  if (ts.isPropertyAccessExpression(node)) return [node.name.text, node.expression];
  if (ts.isElementAccessExpression(node)) return [textOf(node.argumentExpression), node.expression];
  if (!ts.isBindingElement(node) || !ts.isVariableDeclaration(node.parent.parent)) return [];
  return [nameOf(node), node.parent.parent.initializer];
}

/** Returns whether an expression is `vi` or `vitest`, imported from Vitest by name or through a namespace. */
function isVi(value: ts.Node): boolean {
  const all = ts.isPropertyAccessExpression(value) && isName(value.name) ? value.expression : undefined;
  const [own, whole] = [textOf(value), all && textOf(all)];
  return value.getSourceFile().statements.some((each) => {
    if (!ts.isImportDeclaration(each) || textOf(each.moduleSpecifier) !== 'vitest') return false;
    const { namedBindings } = each.importClause ?? {};
    if (namedBindings && ts.isNamespaceImport(namedBindings)) return namedBindings.name.text === whole;
    return namedBindings?.elements.some(({ name, propertyName }) => name.text === own && isName(propertyName ?? name));
  });
}

const isName = ({ text }: { readonly text: string }) => text === 'vi' || text === 'vitest';

/** Returns the text of an identifier or a string; undefined for anything else. */
function textOf(node: ts.Node): string | undefined {
  return ts.isIdentifier(node) || ts.isStringLiteralLike(node) ? node.text : undefined;
}

/** Removes the wrappers of an expression: `(value)`, `value!`, `value as Type` and `value satisfies Type` become `value`. */
function outermost(node: ts.Node): ts.Node {
  const { parent } = node;
  const wraps = [
    ts.isParenthesizedExpression,
    ts.isNonNullExpression,
    ts.isAsExpression,
    ts.isSatisfiesExpression,
    ts.isTypeAssertionExpression,
  ];
  return wraps.some((is) => is(parent)) ? outermost(parent) : node;
}

interface Member {
  readonly name: string;
  /** The expression for the member; absent when the member gets another name. */
  readonly node?: ts.Node;
}

/** Returns the members that a node reads directly by literal names; undefined when the value itself may escape. */
function membersOf(node: ts.Node): Member[] | undefined {
  const value = outermost(node);
  const { parent } = value;
  if (ts.isPropertyAccessExpression(parent)) return [{ name: parent.name.text, node: parent }];
  if (ts.isElementAccessExpression(parent) && parent.expression === value) {
    const { argumentExpression: key } = parent;
    return ts.isStringLiteralLike(key) ? [{ name: key.text, node: parent }] : undefined;
  }
  if (ts.isCallExpression(parent)) return memberNamedIn(parent, value);
  if (!ts.isVariableDeclaration(parent) || !ts.isObjectBindingPattern(parent.name)) return undefined;
  const names = parent.name.elements.map((element) => (element.dotDotDotToken ? undefined : nameOf(element)));
  return names.every((name) => name !== undefined) ? names.map((name) => ({ name })) : undefined;
}

/** Functions with a value and the name of its member, or of an event, as parameters. */
const takers = new Set(['spyOn', 'once', 'hasOwn']);

function memberNamedIn(call: ts.CallExpression, value: ts.Node): Member[] | undefined {
  const {
    expression,
    arguments: [first, second],
  } = call;
  const callee = ts.isPropertyAccessExpression(expression) ? expression.name : expression;
  const isTaker = ts.isIdentifier(callee) && takers.has(callee.text) && first === value;
  return isTaker && second && ts.isStringLiteralLike(second) ? [{ name: second.text }] : undefined;
}

/** Returns the member that an element of a destructuring reads; undefined when its name is computed. */
function nameOf(node: ts.BindingElement | ts.PropertyAssignment | ts.ShorthandPropertyAssignment): string | undefined {
  return textOf((ts.isBindingElement(node) && node.propertyName) || node.name);
}
