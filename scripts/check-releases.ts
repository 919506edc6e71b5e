// kerf check-releases: runs the tests of the previous release on data that this release has migrated.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { devNull, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import type { Define } from './cli/command.ts';
import { run } from './programs.ts';
import { build, node, root } from './setup.mjs';

export const define: Define = (command) =>
  command
    .description(`Checks that the previous release works after this release's migrations, as "expand" promises. The previous release creates
data, this release migrates it, and the previous release's tests run on copies. Exits with 0 when they pass.`)
    .argument(
      '[word...]',
      'which tests, as of npm test; without them, those of the modules and those of the public API, in one process',
    )
    .requiredOption(
      '--before <release>',
      'the previous release: a commit, branch or tag of this repository, or the folder of a checkout',
    )
    .option('--after <folder>', "the folder of the app.js that migrates; without it, this checkout's, built anew")
    .option('-t, --test <name>', 'only tests whose name has it')
    .action(compare);

interface Order {
  readonly before: string;
  readonly after?: string;
  readonly test?: string;
}

const usual = [['modules/duplicates'], ['system/topologies', '-t', 'all in-process']];

async function compare(words: readonly string[], order: Order): Promise<void> {
  if (!order.after) build();
  const aside = mkdtempSync(join(tmpdir(), 'kerf-releases-'));
  process.exitCode = await check(aside, words, order).finally(() => cleanUp(aside));
}

/** Resolves with the exit code. Throws the error message, because `fail` would end the process before the cleanup. */
async function check(
  aside: string,
  words: readonly string[],
  { before: release, after, test }: Order,
): Promise<number> {
  const before = checkout(release, aside);
  if (!readFileSync(join(before, 'test', 'harness', 'kerf.ts'), 'utf8').includes('DATA_TEMPLATE'))
    throw new Error(`the tests of ${release} take no data of another release; compare with a later one`);
  buildIn(before, release);
  const data = join(aside, 'data');
  await startOnce(join(before, 'dist', 'app.js'), data, 'the release before');
  await startOnce(join(resolve(after ?? join(root, 'dist')), 'app.js'), data, 'this release');
  const named = test === undefined ? [] : ['-t', test];
  const runs = words.length > 0 ? [[...words, ...named]] : usual;
  const failed = runs.filter((each) => !passes(before, data, each));
  if (failed.length === 0) {
    console.log('the release before passes its tests on the data of this one');
    return 0;
  }
  console.error(
    `kerf: the release before fails its tests on the data of this one (${failed.map((each) => each.join(' ')).join('; ')}): a migration is marked as expand that is none`,
  );
  return 1;
}

/** Returns the folder of a checkout: the given folder, or a new checkout of the given commit. */
function checkout(name: string, aside: string): string {
  if (statSync(name, { throwIfNoEntry: false })?.isDirectory()) return resolve(name);
  const folder = join(aside, 'before');
  const { status, stderr } = spawnSync('git', ['worktree', 'add', '--detach', folder, name], {
    cwd: root,
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`there is no commit or folder "${name}": ${stderr.trim()}`);
  const lock = (path: string) => readFileSync(join(path, 'package-lock.json'), 'utf8');
  if (lock(folder) === lock(root)) symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  return folder;
}

/** Installs and builds the previous release with its own scripts. */
function buildIn(before: string, release: string): void {
  const setup = JSON.stringify(join(before, 'scripts', 'setup.mjs'));
  const script = `import(${setup}).then((s) => (s.install(), s.build()))`;
  if (run('-e', script) !== 0)
    throw new Error(`the previous release (${release}) cannot be built; the lines above say why`);
}

/** Starts a whole system on a data folder, and stops it when it is ready. */
async function startOnce(program: string, data: string, what: string): Promise<void> {
  const env = { PATH: process.env.PATH, DATA_DIR: data, TOPOLOGY: devNull, PORT: '0', INTERNAL_PORT: '0' };
  const child = spawn(node(), [program, '--json'], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  createInterface({ input: child.stdout }).once('line', () => child.kill('SIGTERM'));
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`${what} (${program}) does not start on the data; the line above says why`);
}

function passes(folder: string, data: string, which: readonly string[]): boolean {
  const vitest = join(folder, 'node_modules', 'vitest', 'vitest.mjs');
  const env = { PATH: process.env.PATH, HOME: process.env.HOME, DATA_TEMPLATE: data };
  return spawnSync(node(), [vitest, 'run', ...which], { cwd: folder, env, stdio: 'inherit' }).status === 0;
}

function cleanUp(aside: string): void {
  if (existsSync(join(aside, 'before')))
    spawnSync('git', ['worktree', 'remove', '--force', join(aside, 'before')], { cwd: root });
  rmSync(aside, { recursive: true, force: true });
}
