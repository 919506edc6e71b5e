import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { whyNotNamed } from '../../scripts/new-module/names.ts';
import { deep } from '../harness/deep.ts';

const copy = mkdtempSync(join(tmpdir(), 'kerf-new-module-'));
const project = process.cwd();
const { CI: _, ...env } = process.env;

beforeAll(() => {
  const listed = spawnSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    encoding: 'utf8',
  });
  for (const file of listed.stdout.split('\0').filter(Boolean)) cpSync(join(project, file), join(copy, file));
  symlinkSync(join(project, 'node_modules'), join(copy, 'node_modules'), 'junction');
});
afterAll(() => rmSync(copy, { recursive: true }));

function run(...words: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, words, { cwd: copy, encoding: 'utf8', env });
  return { code: status, stdout, stderr };
}
/** Runs tests of the copy. Outside CI, Vitest writes records that are missing. */
const vitest = (...files: string[]) => run('node_modules/vitest/vitest.mjs', 'run', ...files);
const newModule = (...words: string[]) => run('scripts/kerf.mjs', 'new', 'module', ...words);
const modules = () => readdirSync(join(copy, 'src/modules'));
const app = () => readFileSync(join(copy, 'src/app.ts'), 'utf8');

it.each([
  ['wishlist', undefined],
  ['gift-cards2', undefined],
  ['Wishlist', 'is not a name for a module: write up to 40 small letters'],
  ['../wishlist', 'is not a name for a module'],
  ['wish--list', 'is not a name for a module'],
  ['tools', undefined],
  ['wish-2', 'is not a name for a module'],
  ['a'.repeat(41), 'is not a name for a module'],
  ['gateway', 'is not a name for a module'],
  ['constructor', 'is not a name for a module'],
  ['sessions', '"sessions" would hide another name in the code; take another name, such as sessions-list'],
  ['import', '"import" would hide another name'],
  ['delete', '"delete" would hide another name'],
  ['text', '"text" would hide another name'],
  ['arguments', '"arguments" would hide another name'],
  ['eval', '"eval" would hide another name'],
  ['global-this', '"global-this" would hide another name'],
  ['undefined', '"undefined" would hide another name'],
])('the name %s: %s', (name, why) => {
  expect(whyNotNamed(name, app())).toEqual(why && expect.stringContaining(why));
});

it.each([
  [[], 'missing <name>: small letters, digits and single hyphens, such as wishlist', 2],
  [['one', 'two'], 'unknown word "two"', 2],
  [['payments'], 'src/modules/payments/module.json exists; take another name', 1],
  [['../..'], 'is not a name for a module', 1],
  [['wishlist', '--uses', 'billing'], '--uses: there is no module "billing"', 1],
])('%j is refused in one line, and nothing is written', (words, about, exitCode) => {
  const before = [modules(), app()];
  const { code, stdout, stderr } = newModule(...words);
  expect([code, stdout]).toEqual([exitCode, '']);
  expect(stderr).toMatch(/^kerf: [^\n]+\n$/);
  expect(stderr).toContain(about);
  expect([modules(), app()]).toEqual(before);
});

it('says how it is used', () => {
  expect(newModule('--help')).toMatchObject({ code: 0, stdout: expect.stringContaining('npx kerf new module') });
});

describe('new modules', () => {
  const names = ['wishlist', 'gift-cards-of-members-and-their-friends'];
  const written: string[] = [];
  beforeAll(() => {
    for (const name of names) {
      const { code, stdout, stderr } = newModule(name, '--owner', 'gifts', '--uses', 'catalog,members', '--json');
      expect([code, stderr]).toEqual([0, '']);
      written.push(...(JSON.parse(stdout) as { written: string[] }).written);
    }
  });

  it('have a contract, a manifest with the owner, and a test', () => {
    for (const name of names) {
      expect(written).toContain(`src/modules/${name}/contract.ts`);
      expect(readFileSync(join(copy, `src/modules/${name}/module.json`), 'utf8')).toContain('"owner": "gifts"');
      expect(readFileSync(join(copy, `src/modules/${name}/module.ts`), 'utf8')).toContain(
        'uses: { catalog, members },',
      );
    }
  });

  it('are formatted', () => {
    expect(run('node_modules/@biomejs/biome/bin/biome', 'check', 'src/app.ts', ...written)).toMatchObject({ code: 0 });
  });

  it('pass their tests', () => {
    const result = vitest(...names.map((name) => `src/modules/${name}/${name}.test.ts`));
    expect(result, result.stdout + result.stderr).toMatchObject({ code: 0 });
  });

  it('pass the whole check, and keep every border', deep, () => {
    const result = run('scripts/kerf.mjs', 'check');
    expect(result, result.stdout + result.stderr).toMatchObject({ code: 0 });
    expect(result.stdout).toContain('every border holds');
  });

  it('have contracts that can be recorded', deep, () => {
    const result = vitest('test/modules/drift.test.ts');
    expect(result, result.stdout + result.stderr).toMatchObject({ code: 0 });
    for (const name of names) expect(existsSync(join(copy, `test/modules/contracts/${name}.json`))).toBe(true);
  });
});
