import ts from 'typescript';
import { blame } from './syntax.mjs';

export const nameRules = ['types-have-names-of-their-own', 'no-type-is-called-parts'];

/** Readers search for a type by its name: two of one name are confused. */
export function checkNames(trees) {
  const exporters = new Map();
  return trees.flatMap((tree) =>
    typesIn(tree).flatMap((type) => [...vague(tree, type), ...shared(exporters, tree, type)]),
  );
}

function typesIn(tree) {
  const isType = [ts.isClassDeclaration, ts.isInterfaceDeclaration, ts.isTypeAliasDeclaration];
  return tree.statements.filter((node) => node.name && isType.some((is) => is(node)));
}

function vague(tree, type) {
  const { text } = type.name;
  if (!text.endsWith('Parts')) return [];
  const why = `"${text}" does not say what it is. Name a set of dependencies after its owner: BalancerDependencies.`;
  return [blame('no-type-is-called-parts', tree, type, why)];
}

/** A class and an interface of one name in one file are one type. */
function shared(exporters, tree, type) {
  if (!type.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword)) return [];
  const { text } = type.name;
  const other = exporters.get(text) ?? tree.fileName;
  exporters.set(text, other);
  if (other === tree.fileName) return [];
  const why = `${other} exports a type "${text}" as well. Name each after what it is, such as OrderLine and ReservedLine.`;
  return [blame('types-have-names-of-their-own', tree, type, why)];
}
