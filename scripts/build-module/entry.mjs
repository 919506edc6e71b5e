// Writes the entry program of one module. All other modules are remote modules, described by their manifests.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { fail, root } from '../setup.mjs';

const widest = 120;
const inThisRepository = {
  module: (name, file) => join(root, 'src', 'modules', name, file).replaceAll('\\', '/'),
  shared: (room) => join(root, 'src', 'shared', room, 'index.ts').replaceAll('\\', '/'),
};

/**
 * The composition of src/app.ts for one module, with the adapters that are listed there. `all` describes all modules; `paths`
 * says where modules and the rooms of src/shared/ are imported from.
 */
export function entryOf(name, all, paths = inThisRepository) {
  const own = all.find(({ about }) => about.name === name);
  const others = all.filter((each) => each !== own);
  const adapters = adaptersOfApp();
  const known = new Set([...own.about.uses, ...own.about.listensTo]);
  const contracts = others.filter(({ about }) => known.has(about.name)).map(({ about }) => about.name);
  return [
    ...adapters.imports.map(({ names, room }) => `import ${names} from '${paths.shared(room)}';`),
    `import { runAlone } from '${paths.shared('control/host')}';`,
    `import { remoteModule } from '${paths.shared('kernel/module')}';`,
    ...contracts.map((other) => `import { ${contractName(other)} } from '${paths.module(other, 'contract.ts')}';`),
    ...others.map(
      ({ about }) =>
        `import ${aboutName(about.name)} from '${paths.module(about.name, 'module.json')}' with { type: 'json' };`,
    ),
    `import module from '${paths.module(name, 'module.ts')}';`,
    '',
    'await runAlone(module, [',
    ...others.map((other) => knownText(other, { about: aboutName(other.about.name), contracts })),
    `], ${adapters.list});`,
    '',
  ].join('\n');
}

/** Returns the adapter imports of src/app.ts, and its list of adapters as text. */
function adaptersOfApp() {
  const text = readFileSync(join(root, 'src', 'app.ts'), 'utf8');
  const source = ts.createSourceFile('app.ts', text, ts.ScriptTarget.Latest, true);
  const imports = source.statements.filter(ts.isImportDeclaration).flatMap(({ importClause, moduleSpecifier }) => {
    const [, room] = /^\.\/shared\/(adapters\/[^/]+)\/index\.ts$/.exec(moduleSpecifier.text) ?? [];
    return room ? [{ names: importClause.getText(), room }] : [];
  });
  const list = listIn(source);
  if (!list) fail('src/app.ts lists no adapters; write them as: adapters: […]');
  const unknown = [...list.getText().matchAll(/(\w+)\(/g)]
    .map(([, name]) => name)
    .find((name) => !imports.some(({ names }) => names.includes(name)));
  if (unknown)
    fail(`src/app.ts lists ${unknown}(), which it does not import from ./shared/adapters/; import it from there`);
  return { imports, list: list.getText() };
}

function listIn(node) {
  if (ts.isPropertyAssignment(node) && node.name.getText() === 'adapters') return node.initializer;
  return ts.forEachChild(node, listIn);
}

function knownText({ about: { name }, subscribesTo, settings }, { about, contracts }) {
  const contract = contracts.includes(name) ? [`contract: ${contractName(name)}`] : [];
  return remoteModuleText({ about, more: contract, subscribesTo, settings }, '  ', ',');
}

/** The call of `remoteModule`, as the formatter has it. `more` are properties between the first and the last. */
export function remoteModuleText({ about, more, subscribesTo, settings }, indent = '', end = '') {
  const lists = Object.entries({ subscribesTo, settings }).map(([key, list]) => listText(key, list, `${indent}  `));
  const properties = [about === 'about' ? about : `about: ${about}`, ...more, ...lists];
  return [`${indent}remoteModule({`, ...properties.map((each) => `${indent}  ${each},`), `${indent}})${end}`].join(
    '\n',
  );
}

function listText(key, list, indent) {
  const quoted = list.map((each) => `'${each}'`);
  const line = `${key}: [${quoted.join(', ')}]`;
  if (indent.length + line.length < widest) return line;
  return [`${key}: [`, ...quoted.map((each) => `${indent}  ${each},`), `${indent}]`].join('\n');
}

/** What a module's contract is called where it is exported. */
export function contractName(name) {
  const file = join('src', 'modules', name, 'contract.ts');
  const [, exported] = /^export const (\w+) = contract\(/m.exec(readFileSync(join(root, file), 'utf8')) ?? [];
  return exported ?? fail(`${file} exports no contract; write it as: export const … = contract('${name}', …)`);
}

function aboutName(name) {
  return `about${name.replace(/(?:^|-)(\w)/g, (_, letter) => letter.toUpperCase())}`;
}
