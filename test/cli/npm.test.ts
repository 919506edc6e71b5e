import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';

/** A project in which npm runs, with an npm of its own: nothing of this machine's configuration. */
const folder = mkdtempSync(join(tmpdir(), 'kerf-npm-'));
const project = join(folder, 'project');
const topology = () => readFileSync(join(project, 'topology.yaml'), 'utf8');

beforeAll(() => {
  for (const name of ['scripts', 'src', 'package.json', 'package-lock.json', 'topology.yaml'])
    cpSync(name, join(project, name), { recursive: true });
  symlinkSync(join(process.cwd(), 'node_modules'), join(project, 'node_modules'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function run(program: string, words: string, npmrc = '') {
  writeFileSync(join(folder, 'npmrc'), `cache=${join(folder, 'cache')}\naudit=false\nupdate-notifier=false\n${npmrc}`);
  const env = { PATH: process.env.PATH, HOME: folder, npm_config_userconfig: join(folder, 'npmrc') };
  const ended = spawnSync(program, words.split(' '), { cwd: project, encoding: 'utf8', env });
  return { code: ended.status, stdout: ended.stdout, stderr: ended.stderr.replace(/^npm .*\n/gm, '') };
}

const notReached = 'data/operator-token cannot be read';

it.each([
  [
    'run extract payments --for-now',
    'npm took --for-now for itself; type npx kerf extract … --for-now, or npm run extract -- … --for-now',
  ],
  ['run advise --seconds 10', 'npm took --seconds for itself; type npx kerf advise … --seconds'],
  ['run kerf sagas list --state stuck', 'npm took --state for itself; type npx kerf sagas list … --state'],
  // a misspelled option, which neither npm nor the command knows
  ['run extract payments --for-no', 'npm took --for-no for itself'],
  // options that npm has too
  [
    'run topology --json',
    "npm took --json for itself, or npm's configuration has it; type npx kerf topology … --json if you want it",
  ],
  ['run eject payments --dry-run', 'npm took --dry-run for itself'],
  ['exec kerf eject payments --force', 'npm took --force for itself'],
])('npm %s is refused, because npm takes the option', (words, why) => {
  const before = topology();
  const { code, stderr } = run('npm', words);
  expect([code, topology()]).toEqual([2, before]);
  expect(stderr).toMatch(/(^|\n)kerf: [^\n]+\n$/);
  expect(stderr).toContain(why);
});

it.each([
  ['npm', 'run extract -- payments --for-now'],
  ['npm', 'run topology'],
  ['npm', 'exec kerf -- extract payments --for-now --json'],
  ['npx', 'kerf extract payments --for-now --json'],
])('%s %s reaches the command with all its options', (program, words) => {
  expect(run(program, words)).toMatchObject({ code: 1, stderr: expect.stringContaining(notReached) });
});

it("npm's own configuration does not disturb npx kerf", () => {
  const { code, stderr } = run('npx', 'kerf topology', 'json=true\nforce=true\nelectron_mirror=true\n');
  expect([code, stderr]).toEqual([1, expect.stringContaining(notReached)]);
});
