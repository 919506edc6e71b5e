import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inText } from '../../scripts/boundaries/text.ts';
import { allowed, allowedInTests, bypasses, bypassesInTests, named } from './bypasses.ts';
import { Copy, type Report } from './copy.ts';
import {
  importsAgainstOrder,
  importsBuiltin,
  importsPackage,
  importsUndeclared,
  type PlantedViolation,
  plantedViolations,
} from './violations.ts';

const { kernel, control, vendors, builtins, borders } = await import(`${process.cwd()}/.dependency-cruiser.js`);
const names = (table: object) => Object.keys(table);
const missingIn = (known: readonly string[], all: readonly string[]) => all.find((name) => !known.includes(name))!;

const undeclaredBy = (module: string) =>
  missingIn([module, ...borders[module].uses, ...borders[module].listensTo], names(borders));

/** The rule against an empty project. It needs no planted file. */
const ofTheEmpty = 'there-is-something-to-check';

const plants: Record<string, PlantedViolation> = {
  ...plantedViolations,
  ...Object.fromEntries(names(vendors).map((vendor) => [`${vendor}-stays-at-home`, importsPackage(vendor)])),
  ...Object.fromEntries(
    names(builtins)
      .filter((name) => !builtins[name].includes('modules'))
      .map((name) => [`node-${name}-stays-at-home`, importsBuiltin(name)]),
  ),
  ...againstTheOrder('kernel', kernel),
  ...againstTheOrder('control', control),
  ...Object.fromEntries(
    names(borders).map((module) => [
      `${module}-declares-whom-it-knows`,
      importsUndeclared(module, undeclaredBy(module)),
    ]),
  ),
};

/** Returns a violation for each room of a ring. The highest room may import all others, so it has none. */
function againstTheOrder(ring: string, order: Record<string, readonly string[]>): Record<string, PlantedViolation> {
  const entries = names(order).flatMap((room) => {
    const other = missingIn([room, ...order[room]!], names(order).reverse());
    return other ? [[`${ring}-order-${room}`, importsAgainstOrder(ring, room, other)] as const] : [];
  });
  return Object.fromEntries(entries);
}

const inside = (name: string, ending = '.ts') => `src/modules/orders/internal/${name.replaceAll(/\W+/g, '-')}${ending}`;
const planted = (verb: string, texts: Readonly<Record<string, string>>, ending = '.ts') =>
  Object.entries(texts).map(([name, text]) => [name, inside(`${verb} ${name}`, ending), text] as const);
const bypassing = [...planted('uses', bypasses), ...planted('uses', bypassesInTests, '.test.ts')];
const accepted = [...planted('has', allowed), ...planted('has', allowedInTests, '.test.ts')];

describe('the boundaries', () => {
  const copy = new Copy();
  const bare = new Copy();
  const smaller = new Copy();
  const withoutBoard = new Copy();
  let clean: Report;
  let withViolations: Report;

  beforeAll(() => {
    clean = copy.report();
    for (const violation of Object.values(plants)) copy.plant(violation);
    for (const [, file, text] of [...bypassing, ...accepted]) copy.plant({ [file]: text });
    copy.plant({ [inside('named')]: named });
    withViolations = copy.report();
  });
  afterAll(() => {
    copy.delete();
    bare.delete();
    smaller.delete();
    withoutBoard.delete();
  });

  it('hold', () => {
    expect(clean.violations).toEqual([]);
    expect(clean.ok).toBe(true);
  });

  it('have exactly one planted violation for each rule', () => {
    expect([...names(plants), ofTheEmpty].sort()).toEqual([...clean.rules].sort());
  });

  it.each(Object.entries(plants))('the rule %s reports its planted violation', (rule, violation) => {
    const [reported] = names(violation);
    expect(withViolations.violations.filter((violation) => violation.rule === rule).map(({ from }) => from)).toContain(
      reported,
    );
  });

  it.each(bypassing)('report a file that uses %s', (_, file) => {
    expect(withViolations.violations.map(({ from }) => from)).toContain(file);
  });

  it.each(accepted)('accept %s', (_, file) => {
    expect(withViolations.violations.filter(({ from }) => from === file)).toEqual([]);
  });

  it('report only planted violations', () => {
    const expected = [...Object.values(plants).flatMap(names), ...bypassing.map(([, file]) => file)];
    expect(withViolations.violations.map(({ from }) => from).filter((from) => !expected.includes(from))).toEqual([]);
  });

  it('say for a violation what to do, to the line', () => {
    const text = inText(withViolations.violations);
    const [module = ''] = names(borders);
    const { uses } = borders[module];
    const other = undeclaredBy(module);
    expect(text).toContain(
      `src/modules/${module}/internal/knows-undeclared-${other}.ts → src/modules/${other}/contract.ts`,
    );
    const line = JSON.stringify([...uses, other]).replaceAll(',', ', ');
    expect(text).toContain(`Add: in src/modules/${module}/module.json, "uses": ${line}`);
    expect(text).toContain('jose is known to src/shared/control/identity only');
    expect(text).toContain('✗ src/modules/orders/internal/evaluates.ts:1\n');
    expect(text).not.toContain('undefined');
  });

  it('list the remaining imports of a removed module', () => {
    smaller.remove('src/modules/inventory');
    smaller.remove('src/modules/mail/contract.ts');
    const { violations } = smaller.report();
    const seen = violations.map(({ from, to, why }) => [from, to, why]);
    const removed = expect.stringMatching(/^There is no module "inventory": .* remove this import/);
    expect(seen).toContainEqual(['src/app.ts', './modules/inventory/module.ts', removed]);
    expect(seen).toContainEqual([
      'src/modules/orders/internal/checkout.ts',
      '../../inventory/contract.ts',
      expect.stringContaining('remove this import'),
    ]);
    expect(seen).toContainEqual([
      'src/modules/mail/module.ts',
      './contract.ts',
      expect.stringMatching(/^There is nothing at the other end/),
    ]);
    expect(violations.map(({ rule }) => rule)).not.toContain('what-is-declared-is-used');
  });

  it('hold without a module that no other module uses and src/app.ts does not open', () => {
    withoutBoard.remove('src/modules/board');
    withoutBoard.plant({ 'src/app.ts': (text) => text.replace(/^import board.*\n/m, '').replace(' board,', '') });
    const { ok, violations } = withoutBoard.report();
    expect({ ok, violations }).toEqual({ ok: true, violations: [] });
  });

  it('fail for an empty project', () => {
    bare.remove('src');
    const { status, text } = bare.check('--json');
    const { ok, violations }: Report = JSON.parse(text);
    expect({ ok, rules: violations.map(({ rule }) => rule) }).toEqual({ ok: false, rules: [ofTheEmpty] });
    expect(status).toBe(1);
  });

  it('name a module.json that is not valid JSON', () => {
    bare.plant({ 'src/modules/orders/module.json': '{ "name": ' });
    const { status, text } = bare.check();
    expect(status).toBe(1);
    expect(text).toMatch(/src\/modules\/orders\/module\.json cannot be read .*: repair its JSON/);
  });
});
