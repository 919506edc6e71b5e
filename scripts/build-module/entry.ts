// Writes the entry program of one module. All other modules are remote modules, described by their manifests.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import type { ModuleDescription } from '../../src/shared/control/host/index.ts';
import { fail, root } from '../setup.mjs';

/** Returns the specifier of a file of a module. */
export type PathOf = (name: string, file: string) => string;

const widest = 120;
const inThisRepository: PathOf = (name, file) => join(root, 'src', 'modules', name, file).replaceAll('\\', '/');

/**
 * Returns the composition of src/app.ts for one module, with the same adapters. `all` describes all modules.
 */
export function entryOf(name: string, all: readonly ModuleDescription[], pathOf = inThisRepository): string {
  const own = all.find(({ about }) => about.name === name) ?? fail(`there is no module "${name}"`);
  const others = all.filter((each) => each !== own);
  const [adapters, control] = [listOfApp('adapters'), listOfApp('control')];
  const known = new Set([...own.about.uses, ...own.about.listensTo]);
  const contracts = others.filter(({ about }) => known.has(about.name)).map(({ about }) => about.name);
  return [
    ...[...adapters.imports, ...control.imports],
    "import { runAlone } from 'kerf/control/host';",
    "import { remoteModule } from 'kerf/module';",
    ...contracts.map((other) => `import { ${contractName(other)} } from '${pathOf(other, 'contract.ts')}';`),
    ...others.map(
      ({ about }) =>
        `import ${aboutName(about.name)} from '${pathOf(about.name, 'module.json')}' with { type: 'json' };`,
    ),
    `import module from '${pathOf(name, 'module.ts')}';`,
    '',
    'await runAlone(module, [',
    ...others.map((other) => knownText(other, aboutName(other.about.name), contracts)),
    `], ${adapters.list}, ${control.list});`,
    '',
  ].join('\n');
}

/** Returns one of the lists of src/app.ts as text, and the imports of its members. Their rooms are in the ring with that name. */
function listOfApp(key: 'adapters' | 'control'): { imports: string[]; list: string } {
  const text = readFileSync(join(root, 'src', 'app.ts'), 'utf8');
  const source = ts.createSourceFile('app.ts', text, ts.ScriptTarget.Latest, true);
  const imports = source.statements
    .filter(ts.isImportDeclaration)
    .filter(({ moduleSpecifier }) => isIn(key, specifierText(moduleSpecifier)))
    .map((each) => each.getText());
  const list = listIn(source, key) ?? fail(`src/app.ts lists no ${key}; write them as: ${key}: […]`);
  const unknown = [...list.getText().matchAll(/(\w+)\(/g)]
    .flatMap(([, name]) => name ?? [])
    .find((name) => !imports.some((each) => new RegExp(`\\b${name}\\b.* from `).test(each)));
  if (unknown) fail(`src/app.ts lists ${unknown}(), which it does not import from kerf/${key}/; import it from there`);
  return { imports, list: list.getText() };
}

function isIn(ring: string, specifier: string): boolean {
  return specifier.startsWith(`kerf/${ring}/`) && specifier !== 'kerf/control/host';
}

function specifierText(specifier: ts.Expression): string {
  return ts.isStringLiteral(specifier) ? specifier.text : '';
}

function listIn(node: ts.Node, key: string): ts.Expression | undefined {
  if (ts.isPropertyAssignment(node) && node.name.getText() === key) return node.initializer;
  return ts.forEachChild(node, (child) => listIn(child, key));
}

function knownText(module: ModuleDescription, about: string, contracts: readonly string[]): string {
  const { subscribesTo, settings } = module;
  const { name } = module.about;
  const contract = contracts.includes(name) ? [`contract: ${contractName(name)}`] : [];
  return remoteModuleText({ about, more: contract, subscribesTo, settings }, '  ', ',');
}

interface RemoteModule extends Pick<ModuleDescription, 'subscribesTo' | 'settings'> {
  /** The name of its manifest. */
  readonly about: string;
  /** Properties between the first and the last. */
  readonly more: readonly string[];
}

/** Returns the call of `remoteModule` in the style of the formatter. */
export function remoteModuleText(remote: RemoteModule, indent = '', end = ''): string {
  const { about, more, subscribesTo, settings } = remote;
  const lists = Object.entries({ subscribesTo, settings }).map(([key, list]) => listText(key, list, `${indent}  `));
  const properties = [about === 'about' ? about : `about: ${about}`, ...more, ...lists];
  return [`${indent}remoteModule({`, ...properties.map((each) => `${indent}  ${each},`), `${indent}})${end}`].join(
    '\n',
  );
}

function listText(key: string, list: readonly string[], indent: string): string {
  const quoted = list.map((each) => `'${each}'`);
  const line = `${key}: [${quoted.join(', ')}]`;
  if (indent.length + line.length < widest) return line;
  return [`${key}: [`, ...quoted.map((each) => `${indent}  ${each},`), `${indent}]`].join('\n');
}

/** Returns the export name of a module's contract. */
export function contractName(name: string): string {
  const file = join('src', 'modules', name, 'contract.ts');
  const [, exported] = /^export const (\w+) = contract\(/m.exec(readFileSync(join(root, file), 'utf8')) ?? [];
  return exported ?? fail(`${file} exports no contract; write it as: export const … = contract('${name}', …)`);
}

function aboutName(name: string): string {
  return `about${name.replace(/(?:^|-)(\w)/g, (_, letter: string) => letter.toUpperCase())}`;
}
