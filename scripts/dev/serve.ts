// Serves each change of src/ as soon as it is built and its types are right.
import { mkdirSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import Sqlite from 'better-sqlite3';
import { endWithParent, fail, messageOf, root } from '../setup.mjs';
import { AppProcess, devFolder } from './app-process.ts';
import { type Build, watchSource } from './build.ts';
import { restartAlone, whichAreOut } from './modules-out.ts';
import { TypeCheck } from './type-check.ts';

type Lock = InstanceType<typeof Sqlite>;

const types = new TypeCheck();
let inspector: string | undefined;
let serving: AppProcess | undefined;
/** The process that loads its code while the other one serves. */
let next: AppProcess | undefined;
/** The build that comes next. */
let pending: Build | undefined;
let isWorking = false;
/** The files that changed since the code that serves. */
let unserved: readonly string[] = [];
/**
 * Runs the system from src/, and serves each change until a signal ends it. Fails when it runs in this folder already, or when the
 * configuration of TypeScript cannot be read. `inspect` is a port, or host and port.
 */
export async function serveChanges(inspect: string | undefined): Promise<void> {
  inspector = inspect;
  const lock = holdLock();
  const mistakes = await types.configured;
  if (mistakes !== '') fail(mistakes.split('\n')[0] ?? mistakes);
  watchSource((build) => {
    pending = { ...build, changed: merged(pending?.changed ?? [], build.changed) };
    void takePending();
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => void end(signal, lock));
  endWithParent(() => void end('SIGTERM', lock));
}

async function takePending(): Promise<void> {
  if (isWorking) return;
  isWorking = true;
  while (pending) {
    const build: Build = { ...pending, changed: merged(unserved, pending.changed) };
    pending = undefined;
    const isServed = await take(build).catch((error) => refuse(messageOf(error)));
    unserved = isServed ? [] : build.changed;
  }
  isWorking = false;
}

/** Serves a build. Resolves with whether it serves: a build with an error does not, nor does one that a later build replaces. */
async function take({ changed, error, since }: Build): Promise<boolean> {
  if (error !== undefined) return refuse(error);
  if (!serving?.runs) return begin();
  const checking = types.check(changed);
  const alone = await whichAreOut(changed);
  if (alone.length > 0) {
    const errors = await checking;
    if (errors !== '' || pending) return refuse(errors);
    for (const module of alone) await restartAlone(module);
    return told(`${alone.join(', ')} restarted alone with ${named(changed)}, in ${secondsSince(since)}`);
  }
  const loading = new AppProcess(inspector);
  next = loading;
  const [errors, loaded] = await Promise.all([checking, loading.loaded]);
  if (errors !== '' || !loaded || pending) {
    await loading.stop('SIGKILL');
    return refuse(errors);
  }
  await serving.stop();
  serving = loading;
  next = undefined;
  loading.run();
  if (await loading.ready) return told(`restarted with ${named(changed)}, in ${secondsSince(since)}`);
  return told('the system does not start; the lines above say why. Waiting for the next change');
}

/** Starts the system. The first start that fails ends the command: its reason is no change. */
async function begin(): Promise<boolean> {
  const isFirst = serving === undefined;
  const app = new AppProcess(inspector);
  serving = app;
  app.run();
  const announced = await app.ready;
  if (!announced && isFirst) process.exit((await app.exited) ?? 1);
  if (announced) console.log([...announced, ''].join('\n'));
  return told(
    announced ? 'watching src/' : 'the system does not start; the lines above say why. Waiting for the next change',
  );
}

/** Shows the errors of a build that does not serve. A build that a later one replaces has none. */
function refuse(errors: string): false {
  if (errors !== '') console.error(errors);
  if (!pending) told(serving?.runs ? 'the previous code goes on serving' : 'waiting for the next change');
  return false;
}

async function end(signal: NodeJS.Signals, lock: Lock): Promise<void> {
  await Promise.all([serving?.stop(signal), next?.stop('SIGKILL')]);
  lock.close();
  process.exit(signal === 'SIGINT' ? 130 : 0);
}

/** Keeps a second `npm run dev` away from the bundle and the data. The lock ends with this process, however it ends. */
function holdLock(): Lock {
  const file = join(dirname(devFolder), 'dev.lock');
  mkdirSync(dirname(file), { recursive: true });
  const held = new Sqlite(file, { timeout: 0 });
  try {
    return held.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
  } catch {
    return fail('npm run dev runs in this folder already; stop that one first');
  }
}

function named(files: readonly string[]): string {
  const names = files.map((file) => relative(root, file));
  return names.length > 3 ? `${names.length} files` : names.join(', ');
}

function secondsSince(since: number): string {
  return `${((performance.now() - since) / 1_000).toFixed(2)} s`;
}

function merged(some: readonly string[], more: readonly string[]): string[] {
  return [...new Set([...some, ...more])];
}

function told(message: string): true {
  console.log(`kerf: ${message}`);
  return true;
}
