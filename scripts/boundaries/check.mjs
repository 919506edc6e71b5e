import { existsSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { pathToFileURL } from 'node:url';
import { cruise } from 'dependency-cruiser';
import { compareDeclarations } from './declarations.mjs';
import { unusedExports } from './exports.mjs';
import { filesUnder, links, remappedNames, unread } from './files.mjs';
import { checkLoaders, loaderRules } from './loaders.mjs';
import { missingLine, readLeft, validateModules } from './modules.mjs';
import { checkNames, nameRules } from './names.mjs';
import { checkSpecifiers, specifierRules } from './specifiers.mjs';
import { parseFiles, syntaxErrors } from './syntax.mjs';

/** What is checked besides the rules over imports. */
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

/** Compares the sources under `root` with its architecture. Throws when a module.json is no JSON. */
export async function check(root) {
  const architecture = await import(pathToFileURL(join(root, '.dependency-cruiser.js')).href);
  const { forbidden, options } = architecture.default;
  const comments = new Map(forbidden.map(({ name, comment }) => [name, comment]));
  const rules = [...forbidden.map(({ name }) => name), ...checks];
  const files = filesUnder(root, 'src');
  const exist = new Set(files);
  const cruised = await read(root, forbidden, options);
  const sources = cruised.modules.filter(({ source }) => exist.has(source));
  const imports = sources.flatMap(({ source, dependencies }) =>
    dependencies.map((to) => [source, targetOf(source, to)]),
  );
  const counts = { files: sources.length, imports: imports.length, rules: rules.length };
  if (sources.length === 0) return { rules, counts, violations: [nothing] };

  const { kernel, control, vendors, importMeta, borders: modules } = architecture;
  const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
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
    ...unusedExports(root, [...files, ...filesUnder(root, 'scripts')], architecture),
  ];
  return { rules, counts: { modules: Object.keys(modules).length, ...counts }, violations };
}

const nothing = {
  rule: 'there-is-something-to-check',
  from: 'src/',
  why: 'No source file was read, so nothing was checked. Run this where src/ is, with the dependencies of the lock file: with another TypeScript, dependency-cruiser reads nothing and says nothing.',
};

async function read(root, forbidden, options) {
  if (!existsSync(join(root, 'src'))) return { modules: [], summary: { violations: [] } };
  const { enhancedResolveOptions, ...rest } = options;
  const ruled = { ...rest, baseDir: root, validate: true, ruleSet: { forbidden } };
  const { output } = await cruise(['src'], ruled, enhancedResolveOptions);
  return output;
}

/** What the syntax of the files says that the rules over imports cannot see. */
function readSyntax(root, sources, importMeta) {
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

function explain({ rule, from, to, cycle, type }, comments, modules) {
  const target = type === 'module' ? undefined : cycle ? cycle.map(({ name }) => name).join(' → ') : to;
  const add = rule.name.endsWith('-declares-whom-it-knows') ? missingLine(modules, from, to) : undefined;
  const why =
    (rule.name === 'every-import-leads-somewhere' && removedModule(modules, from, to)) || comments.get(rule.name);
  return { rule: rule.name, from, to: target, why, add };
}

/** The path from the root that an import leads to, or would lead to if that file were there. */
function targetOf(source, { resolved, module, couldNotResolve }) {
  return couldNotResolve && module.startsWith('.') ? posix.join(posix.dirname(source), module) : resolved;
}

/** What to do when an import leads into a module that is not there; undefined for any other import. */
function removedModule(modules, from, to) {
  const path = targetOf(from, { module: to, resolved: to, couldNotResolve: true });
  const name = /^src\/modules\/([^/]+)\//.exec(path)?.[1];
  if (name === undefined || Object.hasOwn(modules, name)) return undefined;
  return `There is no module "${name}": src/modules/${name}/module.json is missing. If you removed the module, remove this import and the code that uses it. Otherwise correct the path, or restore the folder.`;
}
