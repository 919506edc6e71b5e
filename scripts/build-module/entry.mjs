// The program that runs one module alone, as text: the others are known by what they say of themselves.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fail, root } from '../setup.mjs';

const widest = 120;
const inThisRepository = {
  module: (name, file) => join(root, 'src', 'modules', name, file).replaceAll('\\', '/'),
  kernel: (folder) => join(root, 'src', 'shared', folder, 'index.ts').replaceAll('\\', '/'),
};

/**
 * The composition of src/app.ts for one module. `all` is what the modules say of themselves; `paths` says where modules and
 * kernel are imported from.
 */
export function entryOf(name, all, paths = inThisRepository) {
  const own = all.find(({ about }) => about.name === name);
  const others = all.filter((each) => each !== own);
  const known = new Set([...own.about.uses, ...own.about.listensTo]);
  const contracts = others.filter(({ about }) => known.has(about.name)).map(({ about }) => about.name);
  return [
    `import { runAlone } from '${paths.kernel('host')}';`,
    `import { knownModule } from '${paths.kernel('module')}';`,
    ...contracts.map((other) => `import { ${contractName(other)} } from '${paths.module(other, 'contract.ts')}';`),
    ...others.map(
      ({ about }) =>
        `import ${aboutName(about.name)} from '${paths.module(about.name, 'module.json')}' with { type: 'json' };`,
    ),
    `import module from '${paths.module(name, 'module.ts')}';`,
    '',
    'await runAlone(module, [',
    ...others.map((other) => knownText(other, { about: aboutName(other.about.name), contracts })),
    ']);',
    '',
  ].join('\n');
}

function knownText({ about: { name }, subscribesTo, settings }, { about, contracts }) {
  const contract = contracts.includes(name) ? [`contract: ${contractName(name)}`] : [];
  return knownModuleText({ about, more: contract, subscribesTo, settings }, '  ', ',');
}

/** The call of `knownModule`, as the formatter has it. `more` are properties between the first and the last. */
export function knownModuleText({ about, more, subscribesTo, settings }, indent = '', end = '') {
  const lists = Object.entries({ subscribesTo, settings }).map(([key, list]) => listText(key, list, `${indent}  `));
  const properties = [about === 'about' ? about : `about: ${about}`, ...more, ...lists];
  return [`${indent}knownModule({`, ...properties.map((each) => `${indent}  ${each},`), `${indent}})${end}`].join('\n');
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
