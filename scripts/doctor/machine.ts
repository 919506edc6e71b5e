// Checks of the machine that need no settings.
import { readFileSync } from 'node:fs';
import { freemem } from 'node:os';
import { join } from 'node:path';
import { root } from '../setup.mjs';
import { error, type Finding, ok, warning } from './check.ts';
import { bytes } from './units.ts';

interface Program {
  readonly version: string;
  readonly execPath: string;
  readonly platform: string;
  readonly arch: string;
}

/** Checks the version of Node.js, and whether it is the one of the lock file. */
export function nodeVersion({ version, execPath, platform, arch }: Program, least = leastNode()): Finding[] {
  const major = Number(/^v(\d+)/.exec(version)?.[1]);
  const what = `Node.js ${version.slice(1)}, ${platform}-${arch}`;
  if (!(major >= least)) return [error(what, `install Node.js ${least} or later`)];
  if (execPath.startsWith(join(root, 'node_modules'))) return [ok(`${what}, from the lock file`)];
  return [warning(`${what}, from ${execPath}`, 'the lock file has no Node.js for this platform; test with this one')];
}

function leastNode(): number {
  const { engines } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { engines: { node: string } };
  return Number(/\d+/.exec(engines.node)?.[0]);
}

/** Loads and tries the packages with machine code. */
export async function platformPackages(load: (name: string) => Promise<string> = tryPackage): Promise<Finding[]> {
  const found = ['better-sqlite3', '@node-rs/argon2'].map(async (name) =>
    load(name).then(ok, ({ message }: Error) =>
      error(
        `${name} cannot be loaded: ${message.split('\n')[0]}`,
        'remove node_modules and run npm ci on this machine: the files of another system or architecture do not fit',
      ),
    ),
  );
  return Promise.all(found);
}

async function tryPackage(name: string): Promise<string> {
  if (name === '@node-rs/argon2') {
    await (await import('@node-rs/argon2')).hash('doctor');
    return `${name} hashes`;
  }
  const { default: Sqlite } = await import('better-sqlite3');
  const database = new Sqlite(':memory:');
  const version = database.prepare('select sqlite_version()').pluck().get();
  database.close();
  return `${name} opens databases: SQLite ${version}`;
}

interface Instants {
  /** Milliseconds since 1970, by the machine's clock. */
  readonly real: number;
  /** Milliseconds since any moment, by a clock that never steps. */
  readonly steady: number;
}
const now = (): Instants => ({ real: Date.now(), steady: performance.now() });

const watchClockMs = 1_000;
/** Adjustments of a time service are slower than this. */
const driftMs = 50;
const firstRelease = Date.UTC(2026, 0, 1);

/** Watches the machine's clock for a second, beside the steady one. */
export async function clock(
  instants = now,
  pause = () => new Promise<void>((resolve) => setTimeout(resolve, watchClockMs)),
): Promise<Finding[]> {
  const before = instants();
  await pause();
  const after = instants();
  const driftedMs = Math.round(after.real - before.real - (after.steady - before.steady));
  const date = new Date(after.real).toISOString();
  const cure = 'have a time service (chrony, systemd-timesyncd) set the clock';
  if (after.real < firstRelease) return [error(`the clock is wrong: ${date}`, cure)];
  if (Math.abs(driftedMs) > driftMs)
    return [warning(`the clock moved by ${driftedMs} ms within ${watchClockMs} ms`, cure)];
  return [ok(`the clock runs evenly: ${date}`)];
}

const fewFiles = 4_096;
const tooFewFiles = 256;

/** Checks the limit of open files and connections of a process that starts in this shell. */
export function openFiles(limits = limitsOfProcess()): Finding[] {
  const [, limit] = /^Max open files\s+(\S+)/m.exec(limits ?? '') ?? [];
  if (limit === undefined) return [ok('the limit of open files cannot be read on this system: see ulimit -n')];
  const what = `at most ${limit} open files and connections`;
  const cure = `raise the limit to ${fewFiles} or more (ulimit -n, LimitNOFILE of systemd, nofile of the container)`;
  if (limit === 'unlimited' || Number(limit) >= fewFiles) return [ok(what)];
  return [Number(limit) < tooFewFiles ? error(what, cure) : warning(what, cure)];
}

function limitsOfProcess(): string | undefined {
  try {
    return readFileSync('/proc/self/limits', 'utf8');
  } catch {
    return undefined;
  }
}

const processBytes = 128 * 1024 ** 2;
const homeBytes = 256 * 1024 ** 2;

/** Checks that the memory that is left suffices for the home process and this number of module processes. */
export function memory(processes: number, available = availableMemory()): Finding[] {
  const needed = homeBytes + processes * processBytes;
  const what = `${bytes(available)} of memory left`;
  if (available >= needed) return [ok(what)];
  const of = processes > 0 ? `, ${processes + 1} processes need about ${bytes(needed)}` : '';
  return [warning(`${what}${of}`, 'leave more memory to it, or raise the limit of the container')];
}

/** Includes memory that the system can take back from its caches. */
function availableMemory(): number {
  return process.availableMemory?.() ?? freemem();
}
