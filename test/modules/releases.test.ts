import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { deep } from '../harness/deep.ts';
import { plantedMigration, releaseWith } from '../harness/release.ts';

const env = { PATH: process.env.PATH, HOME: process.env.HOME };

/** Checks a next release with an added migration: this release must take an order on its data. */
function checked(sqlite: string) {
  const after = releaseWith([plantedMigration('expand', sqlite)]);
  const words = ['--before', process.cwd(), '--after', after, 'smoke', '-t', 'serves an order'];
  const { status, stdout, stderr } = spawnSync(process.execPath, ['scripts/kerf.mjs', 'check-releases', ...words], {
    encoding: 'utf8',
    env,
  });
  return { status, said: `${stdout}${stderr}` };
}

it('accepts a release whose migration adds a column', deep, () => {
  const { status, said } = checked('ALTER TABLE payments ADD COLUMN note TEXT');
  expect([status, said]).toEqual([
    0,
    expect.stringContaining('the release before passes its tests on the data of this one'),
  ]);
});

it('rejects a migration that is marked as expand but renames a column', () => {
  const { status, said } = checked('ALTER TABLE payments RENAME COLUMN status TO state');
  expect(status).toBe(1);
  expect(said).toMatch(/×.* starts, serves an order and stops/);
  expect(said).toContain('a migration is marked as expand that is none');
});

/** Creates a repository with one commit that contains only the command. `tests` is the content of its test harness. */
function repositoryWith(tests: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'kerf-repository-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  for (const name of ['scripts', 'package.json', 'package-lock.json'])
    cpSync(name, join(folder, name), { recursive: true });
  mkdirSync(join(folder, 'test', 'harness'), { recursive: true });
  writeFileSync(join(folder, 'test', 'harness', 'kerf.ts'), tests);
  symlinkSync(join(process.cwd(), 'node_modules'), join(folder, 'node_modules'));
  const author = ['-c', 'user.name=Kerf', '-c', 'user.email=kerf@kerf.test', '-c', 'commit.gpgsign=false'];
  for (const words of [
    ['init', '-q'],
    ['add', 'scripts', 'test', 'package-lock.json'],
    ['commit', '-qm', 'First'],
  ])
    git(folder, ...author, ...words);
  return folder;
}

function git(folder: string, ...words: string[]): string {
  const { status, stdout, stderr } = spawnSync('git', words, { cwd: folder, encoding: 'utf8', env });
  expect([status, stderr]).toEqual([0, '']);
  return stdout;
}

it.each([
  ['whose tests accept no data folder', 'HEAD', '', 'the tests of HEAD take no data of another release'],
  ['that cannot be built', 'HEAD', '// DATA_TEMPLATE', 'the previous release (HEAD) cannot be built; the lines above'],
  ['that does not exist', 'nowhere', '', 'there is no commit or folder "nowhere"'],
])('leaves no worktree of a release %s', (_, before, tests, message) => {
  const folder = repositoryWith(tests);
  const words = ['scripts/kerf.mjs', 'check-releases', '--before', before, '--after', 'nowhere'];
  const { status, stderr } = spawnSync(process.execPath, words, { cwd: folder, encoding: 'utf8', env });
  expect([status, stderr]).toEqual([1, expect.stringContaining(`kerf: ${message}`)]);
  expect(git(folder, 'worktree', 'list').trim().split('\n')).toHaveLength(1);
});
