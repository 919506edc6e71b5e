import ts from 'typescript';
import type { Violation } from './architecture.ts';
import { blame } from './syntax.ts';

export const nameRules = ['types-have-names-of-their-own', 'no-type-is-called-parts'];

type Declaration = ts.ClassDeclaration | ts.InterfaceDeclaration | ts.TypeAliasDeclaration;
type Named = Declaration & { readonly name: ts.Identifier };

/** Reports types with the same name, because readers search for a type by its name. */
export function checkNames(trees: readonly ts.SourceFile[]): Violation[] {
  const exporters = new Map<string, string>();
  return trees.flatMap((tree) =>
    typesIn(tree).flatMap((type) => [...vague(tree, type), ...shared(exporters, tree, type)]),
  );
}

function typesIn(tree: ts.SourceFile): Named[] {
  return tree.statements.filter(isNamed);
}

function isNamed(node: ts.Node): node is Named {
  const isType = ts.isClassDeclaration(node) || ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node);
  return isType && node.name !== undefined;
}

function vague(tree: ts.SourceFile, type: Named): Violation[] {
  const { text } = type.name;
  if (!text.endsWith('Parts')) return [];
  const why = `"${text}" does not say what it is. Name a set of dependencies after its owner: BalancerDependencies.`;
  return [blame('no-type-is-called-parts', tree, type, why)];
}

/** Counts a class and an interface with the same name in one file as one type. */
function shared(exporters: Map<string, string>, tree: ts.SourceFile, type: Named): Violation[] {
  if (!type.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword)) return [];
  const { text } = type.name;
  const other = exporters.get(text) ?? tree.fileName;
  exporters.set(text, other);
  if (other === tree.fileName) return [];
  const why = `${other} exports a type "${text}" as well. Name each after what it is, such as OrderLine and ReservedLine.`;
  return [blame('types-have-names-of-their-own', tree, type, why)];
}
