import { existsSync } from 'node:fs';
import { join, posix } from 'node:path';
import { cruise, type ICruiseResult, type IDependency, type IViolation } from 'dependency-cruiser';
import { readPackage } from '../package.ts';
import type { Configuration, Violation } from './architecture.ts';
import { compareDeclarations, type Import } from './declarations.ts';
import { unusedExports } from './exports.ts';
import { filesUnder, links, remappedNames, unread } from './files.ts';
import { checkLoaders, loaderRules } from './loaders.ts';
import { type Manifests, missingLine, readLeft, validateModules } from './modules.ts';
import { checkNames, nameRules } from './names.ts';
import { checkSpecifiers, specifierRules } from './specifiers.ts';
import { parseFiles, syntaxErrors } from './syntax.ts';

/** The rules of further checks, besides the rules for imports. */
const checks = [
  'module-json-is-true',
  'calls-go-one-way',
  'what-is-declared-is-used',
  'what-is-exported-is-used',
  'the-kernel-order-is-minimal',
  'the-kernel-order-has-no-cycle',
  'the-control-order-is-minimal',
  'the-control-order-has-no-cycle',
  'every-dependency-has-a-home',
  'every-file-is-read',
  'no-file-is-a-link',
  'names-are-not-remapped',
  ...specifierRules,
  ...loaderRules,
  ...nameRules,
  'there-is-something-to-check',
];

export interface Counts {
  readonly files: number;
  readonly imports: number;
  readonly modules: number;
  readonly rules: number;
}

/** Compares the sources under `root` with its architecture. Throws when a module.json is not valid JSON. */
export async function check(
  root: string,
): Promise<{ rules: string[]; counts: Counts; violations: readonly Violation[] }> {
  const architecture = await import('../../.dependency-cruiser.js');
  const { forbidden } = architecture.default;
  const comments = new Map(forbidden.map(({ name, comment }) => [name, comment]));
  const rules = [...forbidden.map(({ name }) => name), ...checks];
  const [files, commands] = [filesUnder(root, 'src'), filesUnder(root, 'scripts')];
  const exist = new Set([...files, ...commands]);
  const cruised = await read(root, architecture.default);
  const sources = cruised.modules.filter(({ source }) => source.startsWith('src/') && exist.has(source));
  const imports = sources.flatMap(({ source, dependencies }) =>
    dependencies.map((to): Import => [source, targetOf(source, to)]),
  );
  const { kernel, control, vendors, importMeta, borders: modules } = architecture;
  const counts = {
    ...{ files: sources.length, imports: imports.length },
    ...{ modules: Object.keys(modules).length, rules: rules.length },
  };
  if (sources.length === 0) return { rules, counts, violations: [nothing] };

  const { dependencies = {} } = readPackage(root);
  const violations = [
    ...cruised.summary.violations
      .filter(({ from }) => exist.has(from))
      .map((violation) => explain(violation, comments, modules)),
    ...validateModules(modules),
    ...compareDeclarations({
      rings: { kernel, control },
      ...{ vendors, modules, imports },
      left: readLeft(root, modules),
      dependencies: Object.keys(dependencies),
    }),
    ...unread(
      files,
      sources.map(({ source }) => source),
    ),
    ...links(root, files),
    ...remappedNames(root),
    ...readSyntax(root, sources, importMeta),
    ...unusedExports(root, [...files, ...commands], architecture),
  ];
  return { rules, counts, violations };
}

const nothing: Violation = {
  rule: 'there-is-something-to-check',
  from: 'src/',
  why: 'No source file was read, so nothing was checked. Run this where src/ is, with the dependencies of the lock file: with another TypeScript, dependency-cruiser reads nothing and says nothing.',
};

type Read = Pick<ICruiseResult, 'modules'> & { summary: Pick<ICruiseResult['summary'], 'violations'> };
type Target = Pick<IDependency, 'resolved' | 'module' | 'couldNotResolve'>;

async function read(root: string, { forbidden, options }: Configuration): Promise<Read> {
  if (!existsSync(join(root, 'src'))) return { modules: [], summary: { violations: [] } };
  const { enhancedResolveOptions, ...rest } = options;
  const ruled = { ...rest, baseDir: root, validate: true, ruleSet: { forbidden } };
  const { output } = await cruise(['src', 'scripts'], ruled, enhancedResolveOptions);
  // It is a string only with a reporter among the options.
  if (typeof output === 'string') throw new Error('dependency-cruiser reports a text; take "outputType" out');
  return output;
}

/** Finds violations in the syntax that the rules for imports cannot see. */
function readSyntax(root: string, sources: Read['modules'], importMeta: readonly string[]): Violation[] {
  const trees = parseFiles(
    root,
    sources.map(({ source }) => source),
  );
  const followed = new Map(
    sources.map(({ source, dependencies }) => [source, new Set(dependencies.map((each) => each.module))]),
  );
  return [
    ...syntaxErrors(trees),
    ...checkNames(trees),
    ...trees.flatMap((tree) => checkSpecifiers(tree, followed.get(tree.fileName) ?? new Set())),
    ...checkLoaders(
      trees,
      importMeta.map((home) => `src/${home}`),
    ),
  ];
}

function explain(
  { rule, from, to, cycle, type }: IViolation,
  comments: ReadonlyMap<string, string>,
  modules: Manifests,
): Violation {
  const target = type === 'module' ? undefined : cycle ? cycle.map(({ name }) => name).join(' → ') : to;
  const add = rule.name.endsWith('-declares-whom-it-knows') ? missingLine(modules, from, to) : undefined;
  const why =
    (rule.name === 'every-import-leads-somewhere' && removedModule(modules, from, to)) ||
    (comments.get(rule.name) ?? rule.name);
  return { rule: rule.name, from, to: target, why, add };
}

/** Returns the path from the root of an import's target, also of a missing file. */
function targetOf(source: string, { resolved, module, couldNotResolve }: Target): string {
  return couldNotResolve && module.startsWith('.') ? posix.join(posix.dirname(source), module) : resolved;
}

/** Returns the solution for an import from a missing module; undefined for any other import. */
function removedModule(modules: Manifests, from: string, to: string): string | undefined {
  const path = targetOf(from, { module: to, resolved: to, couldNotResolve: true });
  const name = /^src\/modules\/([^/]+)\//.exec(path)?.[1];
  if (name === undefined || Object.hasOwn(modules, name)) return undefined;
  return `There is no module "${name}": src/modules/${name}/module.json is missing. If you removed the module, remove this import and the code that uses it. Otherwise correct the path, or restore the folder.`;
}
