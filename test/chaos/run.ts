import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { moduleNames } from '../harness/kerf.ts';
import { Customers } from './customers.ts';
import { BrokerLink, Faults, type Surroundings } from './faults.ts';
import { draw } from './plan.ts';
import { Providers } from './providers.ts';
import { Results, type ResultsByKind } from './results.ts';
import { ChaosSystem } from './system.ts';
import { judge } from './verdict.ts';

const subscribers = ['notifications', 'recommendations'];
const diskMiB = 512;
/** Time limit for clients and books to come to rest after the last fault. */
const restWithinMs = 90_000;

export interface RunOptions {
  readonly seed: number;
  readonly durationMs: number;
  /** URL of a broker. Without it, events go directly from process to process. */
  readonly bus?: string;
  /** Ends the run before its time. */
  readonly signal: AbortSignal;
  readonly tell: (event: StoryEvent) => void;
}

/** An act, a later result of an act, or the clients' view between two acts. `atMs` counts from the start of the load. */
export interface StoryEvent {
  readonly atMs: number;
  readonly what: string;
  readonly seen?: ResultsByKind;
}

export interface Outcome {
  /** Faults that this machine does not support, with the reason. */
  readonly leftOut: readonly string[];
  readonly seen: ResultsByKind;
  readonly orders: number;
  readonly homeStarts: number;
  readonly exitCode: number | null;
  /** Violated promises, in words. */
  readonly violations: readonly string[];
  /** Folder with the data and logs of a run with violations. */
  readonly kept?: string;
}

/** Starts a system, injects the faults of the seed under load, and compares the books. Leaves no process behind. */
export async function runChaos(options: RunOptions): Promise<Outcome> {
  const folder = mkdtempSync(join(tmpdir(), 'kerf-chaos-'));
  const fullDisk = mountDisk(folder);
  const providers = new Providers();
  const broker = options.bus ? await BrokerLink.open(options.bus) : undefined;
  const settings = { ...(await providers.open()), ...(broker && { BUS: broker.url }) };
  let violations: string[] = ['the run did not come to its end'];
  let system: ChaosSystem | undefined;
  try {
    system = await ChaosSystem.start(folder, settings);
    const seen = new Results();
    const customers = new Customers(system.url, options.seed, seen);
    const around = { system, customers, providers, broker: broker?.link, seed: options.seed };
    await live(options, around, seen, { fullDisk, broker: broker !== undefined });
    violations = await judge(around, seen, options.signal.aborted ? 0 : restWithinMs);
    const exitCode = await system.stop();
    const leftOut = [
      ...(fullDisk ? [] : ['a full disk: no tmpfs can be mounted']),
      ...(broker ? [] : ['a broker that is away: --bus names none']),
    ];
    const kept = violations.length > 0 ? folder : undefined;
    return {
      leftOut,
      seen: seen.total,
      orders: customers.orderAnswers.size,
      homeStarts: system.starts,
      exitCode,
      violations,
      kept,
    };
  } finally {
    await system?.stop();
    await providers.close();
    await broker?.link.close();
    const isKept = violations.length > 0 && !options.signal.aborted;
    if (fullDisk) unmountDisk(folder, isKept);
    if (!isKept) rmSync(folder, { recursive: true, force: true });
  }
}

/** Runs the plan, from its first act to the end of the calm phase. */
async function live(
  options: RunOptions,
  around: Surroundings,
  seen: Results,
  able: Parameters<typeof draw>[3],
): Promise<void> {
  const { seed, durationMs, signal, tell } = options;
  const faults = new Faults(around);
  const plan = draw(seed, durationMs, { modules: moduleNames, subscribers }, able);
  const startedAt = performance.now();
  const atMs = () => Math.round(performance.now() - startedAt);
  const until = (whenMs: number) => pause(Math.max(0, whenMs - atMs()), undefined, { signal });
  const pending = new Set<Promise<void>>();
  const keep = (work: Promise<void>) => {
    const over = work.catch(() => {}).finally(() => pending.delete(over));
    pending.add(over);
  };
  const tellPhase = () => tell({ atMs: atMs(), what: 'seen', seen: seen.takePhase() });
  around.customers.begin();
  try {
    for (const act of plan) {
      await until(act.atMs);
      tellPhase();
      const { did, end, later } = await faults.begin(act);
      tell({ atMs: atMs(), what: did });
      if (end) keep(until(act.atMs + act.forMs).finally(end));
      if (later) keep(later.then((what) => what && tell({ atMs: atMs(), what: `… ${what}` })) as Promise<void>);
    }
    await until(durationMs);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  await Promise.all(pending);
  await faults.endAll();
  tell({ atMs: atMs(), what: 'nothing is wrong any more; nobody orders anything new' });
  await around.customers.stop(signal.aborted ? 0 : restWithinMs);
  tellPhase();
}

/** Mounts a data folder of limited size. Returns false when this user must not mount. */
function mountDisk(folder: string): boolean {
  const at = join(folder, 'data');
  mkdirSync(at, { mode: 0o700 });
  const options = `size=${diskMiB}m,mode=0700`;
  return spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'none', at], { stdio: 'ignore' }).status === 0;
}

/** Unmounts the data folder. With `isKept`, first copies its data to the disk below. */
function unmountDisk(folder: string, isKept: boolean): void {
  const [at, aside] = [join(folder, 'data'), join(folder, 'kept')];
  if (isKept) cpSync(at, aside, { recursive: true });
  spawnSync('umount', [at]);
  if (!isKept) return;
  rmSync(at, { recursive: true, force: true });
  renameSync(aside, at);
}
