// @ts-check
// Prepares a fresh or stale checkout, so that its code can run. Plain JavaScript for Node 20 and later, because it runs before
// the installation.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import { during } from './progress.mjs';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));
const windows = process.platform === 'win32';

/**
 * Adds the settings in the file .env to the environment. A variable that is set already stays as it is.
 */
export function readEnvFile(folder = root) {
  const file = join(folder, '.env');
  if (existsSync(file)) process.loadEnvFile(file);
}

/**
 * Calls `stop` when the process that started this one has ended: npm forwards no signal.
 * @param {() => void} stop
 */
export function endWithParent(stop) {
  const parent = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(watch);
    console.error(`kerf: the process that started this one (${parent}) has gone; stopping`);
    stop();
  }, 250).unref();
}

/** Installs the dependencies when they are missing or differ from the lock file. */
export function install() {
  installIn(root);
}

/**
 * Does the same for a folder with its own package.
 * @param {string} folder
 */
export function installIn(folder) {
  if (isInstalled(folder)) return;
  console.error(`kerf: installing the dependencies${folder === root ? '' : ` of ${relative(root, folder)}`} (once) …`);
  runQuietly(windows ? 'npm.cmd' : 'npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], folder);
  writeFileSync(stampOf(folder), lockOf(folder));
}

/**
 * Returns whether the dependencies of a folder are those of its lock file.
 * @param {string} folder
 */
export function isInstalled(folder) {
  return existsSync(stampOf(folder)) && readFileSync(stampOf(folder), 'utf8') === lockOf(folder);
}

/** @param {string} folder */
function stampOf(folder) {
  return join(folder, 'node_modules', '.kerf-installed');
}

/** @param {string} folder */
function lockOf(folder) {
  return createHash('sha256')
    .update(readFileSync(join(folder, 'package-lock.json')))
    .digest('hex');
}

/** Bundles `src/` into `dist/` when it has changed since. */
export function build() {
  const stamp = join(root, 'dist', '.kerf-built');
  const wanted = fingerprint([
    join(root, 'src'),
    join(root, 'rolldown.config.mjs'),
    join(root, 'scripts', 'bundling.ts'),
    join(root, 'package-lock.json'),
  ]);
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  bundle('-c', 'rolldown.config.mjs');
  // Replaces the bundle atomically: a starting process finds the old bundle or the new one, never a part. The chunks of
  // the old bundle stay for processes that still run it.
  const chunks = join(root, 'dist', '.new', 'chunks');
  if (existsSync(chunks)) cpSync(chunks, join(root, 'dist', 'chunks'), { recursive: true });
  for (const file of ['app.js.map', 'app.js'])
    if (existsSync(join(root, 'dist', '.new', file)))
      renameSync(join(root, 'dist', '.new', file), join(root, 'dist', file));
  writeFileSync(stamp, wanted);
}

/**
 * Runs Rolldown with these arguments, such as the name of a configuration.
 * @param {string[]} words
 */
export function bundle(...words) {
  const rolldown = join(root, 'node_modules', 'rolldown', 'bin', 'cli.mjs');
  during('bundling', () => runQuietly(node(), [rolldown, ...words, '--log-level', 'silent']));
}

/** Returns the Node.js of the lock file. On a platform without its package, returns this Node.js, if it is new enough. */
export function node() {
  const locked = join(root, 'node_modules', '.bin', windows ? 'node.cmd' : 'node');
  if (existsSync(locked)) return locked;
  if (Number(process.versions.node.split('.')[0]) >= 24) return process.execPath;
  fail(
    `Node.js 24 or later is needed and there is no package of it for ${process.platform}-${process.arch}; install it and try again`,
  );
}

/**
 * @param {unknown} error
 * @returns {string}
 */
export function messageOf(error) {
  return error instanceof Error ? error.message : String(error);
}

/**
 * Ends the command with an error message.
 * @param {string} message
 * @returns {never}
 */
export function fail(message) {
  console.error(`kerf: ${message}`);
  process.exit(1);
}

/**
 * Runs a command. Prints its output only when it fails.
 * @param {string} command
 * @param {string[]} words
 */
export function runQuietly(command, words, cwd = root) {
  const { status, error, stdout, stderr } = spawnSync(command, words, { cwd, encoding: 'utf8', shell: windows });
  if (!error && status === 0) return;
  const said = `${stdout ?? ''}${stderr ?? ''}`;
  // Some tools write colors to a pipe too.
  console.error(process.stderr.isTTY ? said : stripVTControlCharacters(said));
  fail(`"${[command, ...words].join(' ')}" failed${error ? `: ${error.message}` : ''}; the lines above say why`);
}

/** @param {string[]} paths */
function fingerprint(paths) {
  const hash = createHash('sha256');
  /** @param {string} path */
  const visit = (path) => {
    if (statSync(path).isDirectory()) for (const name of readdirSync(path).sort()) visit(join(path, name));
    else hash.update(path).update(readFileSync(path));
  };
  for (const path of paths) visit(path);
  return hash.digest('hex');
}
