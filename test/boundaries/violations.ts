/** A planted violation: for each file its text, a change of its text, or its link target. The check must report the first file. */
export type PlantedViolation = Readonly<
  Record<string, string | ((text: string) => string) | { readonly linksTo: string }>
>;

const orders = 'src/modules/orders';
const importing = (path: string) => `import '${path}';\n`;

/** Violations by rule. Each violation must break its rule; its files bear the name of the violation. */
export const plantedViolations: Readonly<Record<string, PlantedViolation>> = {
  'rooms-are-entered-by-their-index': {
    'src/shared/kernel/contract/reaches-behind-an-index.ts': importing('../errors/codes.ts'),
  },
  'the-kernel-knows-no-other-ring': {
    'src/shared/kernel/module/imports-an-adapter.ts': importing('../../adapters/http/index.ts'),
  },
  'the-test-kit-knows-one-adapter': {
    'src/shared/kernel/testing/imports-another-adapter.ts': importing('../../adapters/http/index.ts'),
  },
  'adapters-know-the-kernel-alone': {
    'src/shared/adapters/kafka/imports-another-adapter.ts': importing('../nats/index.ts'),
  },
  'control-knows-adapters-by-their-ports': {
    'src/shared/control/host/imports-an-adapter.ts': importing('../../adapters/http/index.ts'),
  },
  'nobody-needs-a-part-of-control': {
    'src/shared/control/host/imports-a-part.ts': importing('../faults/index.ts'),
  },
  'parts-of-control-know-what-is-offered': {
    'src/shared/control/trials/imports-another.ts': importing('../advice/index.ts'),
  },
  'commands-know-kernel-and-control': {
    'scripts/knows-a-module.ts': importing('../src/modules/orders/contract.ts'),
  },
  'the-rings-know-no-module': {
    'src/shared/kernel/http-api/knows-a-module.ts': importing('../../../modules/orders/contract.ts'),
  },
  'modules-do-not-know-where-they-run': {
    [`${orders}/internal/knows-where-it-runs.ts`]: importing('kerf/control/topology'),
  },
  'compositions-know-contracts-only': {
    'src/compositions/imports-another-composition.ts': importing('./products.ts'),
  },
  'nothing-stands-on-the-top': {
    [`${orders}/internal/imports-a-composition.ts`]: importing('../../../compositions/products.ts'),
  },
  'every-package-has-a-home': { 'src/shared/kernel/errors/imports-what-nobody-installed.ts': importing('acorn') },
  'tools-stay-outside': { 'src/shared/kernel/errors/imports-a-tool.ts': importing('fast-check') },
  'contracts-stand-alone': {
    'src/modules/planted/contract.ts': "import type { Stats } from 'node:fs';\nexport type { Stats };\n",
  },
  'internal-is-private': {
    [`${orders}/internal/reaches-inside-payments.ts`]:
      "import type * as inside from '../../payments/internal/store.ts';\nexport type { inside };\n",
  },
  'only-the-app-opens-modules': { 'src/compositions/opens-a-module.ts': importing('../modules/orders/module.ts') },
  'routes-belong-to-their-module': { 'src/modules/planted/module.ts': importing('../orders/routes.ts') },
  'routes-know-only-their-contract': {
    'src/modules/planted/routes.ts': importing('./internal/inside.ts'),
    'src/modules/planted/internal/inside.ts': 'export {};\n',
  },
  'the-inside-does-not-know-its-door': {
    [`${orders}/internal/imports-its-module.ts`]: importing('../module.ts'),
  },
  'every-file-has-a-place': { [`${orders}/helpers.ts`]: 'export const lost = true;\n' },
  'no-cycles': {
    [`${orders}/internal/cycle-in-types-a.ts`]: "import type { B } from './cycle-in-types-b.ts';\nexport type A = B;\n",
    [`${orders}/internal/cycle-in-types-b.ts`]: "import type { A } from './cycle-in-types-a.ts';\nexport type B = A;\n",
  },
  'every-import-leads-somewhere': { [`${orders}/internal/imports-nothing.ts`]: importing('./nothing.ts') },
  'the-source-stands-alone': {
    'src/shared/kernel/errors/imports-from-test.ts': importing('../../../../test/planted.ts'),
    'test/planted.ts': 'export {};\n',
  },
  'tests-are-not-imported': {
    [`${orders}/internal/imports-a-test.ts`]: importing('./planted.test.ts'),
    [`${orders}/internal/planted.test.ts`]: importing('vitest'),
  },
  'the-test-kit-is-for-tests': {
    'src/compositions/imports-the-test-kit.ts': importing('kerf/testing'),
  },
  'module-json-is-true': { 'src/modules/misnamed/module.json': about('another', ['nobody']) },
  'calls-go-one-way': {
    'src/modules/circle-a/module.json': about('circle-a', ['circle-b']),
    'src/modules/circle-b/module.json': about('circle-b', ['circle-a']),
  },
  'what-is-declared-is-used': { 'src/modules/planted/module.json': about('planted', ['sms']) },
  'what-is-exported-is-used': {
    'src/shared/control/faults/index.ts': (text) => `${text}export { recover } from './process-faults.ts';\n`,
  },
  'the-kernel-order-is-minimal': { '.dependency-cruiser.js': errorsOnContract },
  'the-kernel-order-has-no-cycle': { '.dependency-cruiser.js': errorsOnContract },
  'the-control-order-is-minimal': { '.dependency-cruiser.js': topologyOnRelocation },
  'the-control-order-has-no-cycle': { '.dependency-cruiser.js': topologyOnRelocation },
  'every-dependency-has-a-home': {
    'package.json': (text) => text.replace('"dependencies": {', '"dependencies": { "homeless": "1.0.0",'),
  },
  'every-file-is-read': { [`${orders}/internal/query.sql`]: 'select 1;\n' },
  'imports-can-be-followed': {
    [`${orders}/internal/computes-an-import.ts`]: 'export const open = (path: string) => import(path);\n',
  },
  'imports-are-spelled-plainly': { [`${orders}/internal/leaves-out-an-ending.ts`]: importing('./model') },
  'kerf-is-imported-by-name': {
    [`${orders}/internal/imports-kerf-by-path.ts`]: importing('../../../shared/kernel/errors/index.ts'),
  },
  'modules-are-not-augmented': {
    [`${orders}/internal/augments-a-package.ts`]: "declare module 'zod' {\n  interface More {}\n}\nexport {};\n",
  },
  'code-is-loaded-by-imports': { [`${orders}/internal/evaluates.ts`]: "export const one = eval('1');\n" },
  'import-meta-stays-at-home': {
    [`${orders}/internal/asks-where-it-stands.ts`]: 'export const here = import.meta.dirname;\n',
  },
  'no-file-is-a-link': { [`${orders}/internal/links.ts`]: { linksTo: '../../payments/internal/store.ts' } },
  'names-are-not-remapped': {
    'tsconfig.json': (text) => text.replace('"strict"', '"paths": { "jose": ["./src/app.ts"] }, "strict"'),
  },
  'types-have-names-of-their-own': {
    'src/shared/kernel/telemetry/exports-a-namesake.ts': 'export interface Adapters {}\n',
  },
  'no-type-is-called-parts': {
    [`${orders}/internal/names-a-type-parts.ts`]: 'interface Parts {}\nexport type { Parts };\n',
  },
  'every-builtin-has-a-home': { 'src/shared/kernel/errors/imports-a-loader.ts': importing('node:module') },
};

function errorsOnContract(text: string): string {
  return text.replace('errors: [],', "errors: ['contract'],");
}

function topologyOnRelocation(text: string): string {
  return text.replace(
    "topology: ['adapter-list', 'admin-contract', 'http-server', 'logs', 'routing'],",
    "topology: ['adapter-list', 'admin-contract', 'http-server', 'logs', 'relocation', 'routing'],",
  );
}

/** Returns a violation: a package imported in a folder that may import no package. */
export function importsPackage(vendor: string): PlantedViolation {
  return { [`src/shared/kernel/errors/imports-${vendor.replaceAll('/', '-')}.ts`]: importing(vendor) };
}

/** Returns a violation: a restricted Node module imported in a business module. */
export function importsBuiltin(name: string): PlantedViolation {
  return { [`${orders}/internal/imports-node-${name}.ts`]: importing(`node:${name}`) };
}

/** Returns a violation: a room that imports a room of its ring above it or beside it. */
export function importsAgainstOrder(ring: string, folder: string, other: string): PlantedViolation {
  return { [`src/shared/${ring}/${folder}/imports-${other}-against-the-order.ts`]: importing(`../${other}/index.ts`) };
}

export function importsUndeclared(module: string, other: string): PlantedViolation {
  const type = `import type * as other from '../../${other}/contract.ts';\nexport type { other };\n`;
  return { [`src/modules/${module}/internal/knows-undeclared-${other}.ts`]: type };
}

function about(name: string, uses: readonly string[]): string {
  return JSON.stringify({ name, owner: 'nobody', about: 'Planted.', uses, listensTo: [] });
}
