import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, rmSync, watch } from 'node:fs';
import { join } from 'node:path';

/** Resource usage of processes: processor time, bytes written to disk, and the counts of the probe. */
export interface Usage {
  readonly cpuMs: number;
  readonly bytes: number;
  readonly commits: number;
  readonly prepared: number;
  /** Syncs beside the event loop. SQLite's own, within a commit, are not among them. */
  readonly syncs: number;
  /** Event-loop delay (p99) of the slowest process. */
  readonly loopDelayMs: number;
}

const ticksPerSecond = 100;

/** Starts a measurement. The returned function resolves with the usage since then. */
export async function measure(pids: readonly number[], folder: string): Promise<() => Promise<Usage>> {
  await probed(pids, folder);
  const before = pids.map(system);
  return async () => {
    const after = pids.map(system);
    const seen = await probed(pids, folder);
    const sum = (values: readonly number[]) => values.reduce((total, each) => total + each, 0);
    return {
      cpuMs: sum(after.map(({ cpuMs }, index) => cpuMs - before[index]!.cpuMs)),
      bytes: sum(after.map(({ bytes }, index) => bytes - before[index]!.bytes)),
      commits: sum(seen.map(({ commits }) => commits)),
      prepared: sum(seen.map(({ prepared }) => prepared)),
      syncs: sum(seen.map(({ syncs }) => syncs)),
      loopDelayMs: Math.max(...seen.map(({ loopDelayMs }) => loopDelayMs)),
    };
  };
}

type Probed = Pick<Usage, 'commits' | 'prepared' | 'syncs' | 'loopDelayMs'>;

/** Resolves with the counts of each process since the last request. */
function probed(pids: readonly number[], folder: string): Promise<Probed[]> {
  return Promise.all(pids.map(async (pid) => (await asked(pid, folder, `${pid}.json`)) as Probed));
}

/** Sends SIGUSR2 to a process. Resolves with the content of the file that it writes into `folder`. */
export async function asked(pid: number, folder: string, name: string): Promise<unknown> {
  const file = join(folder, name);
  rmSync(file, { force: true });
  const written = new Promise<void>((resolve) => {
    const watcher = watch(folder, () => {
      if (!existsSync(file)) return;
      watcher.close();
      resolve();
    });
  });
  process.kill(pid, 'SIGUSR2');
  await written;
  return JSON.parse(readFileSync(file, 'utf8'));
}

function system(pid: number): { cpuMs: number; bytes: number } {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
  const bytes = /^write_bytes: (\d+)/m.exec(readFileSync(`/proc/${pid}/io`, 'utf8'))?.[1];
  return { cpuMs: ((Number(fields[11]) + Number(fields[12])) * 1_000) / ticksPerSecond, bytes: Number(bytes) };
}

/** Starts to count fsync and fdatasync calls with strace. Returns undefined without strace. */
export async function countSyncs(pids: readonly number[]): Promise<(() => Promise<number>) | undefined> {
  const words = ['-f', '-qq', '-c', '-e', 'trace=fsync,fdatasync', ...pids.flatMap((pid) => ['-p', String(pid)])];
  const tracer = spawn('strace', words, { stdio: ['ignore', 'ignore', 'pipe'] });
  let told = '';
  tracer.stderr.on('data', (chunk: Buffer) => {
    told += chunk.toString();
  });
  if (!(await Promise.race([once(tracer, 'spawn').then(() => true), once(tracer, 'error').then(() => false)])))
    return undefined;
  await traced(pids, tracer.pid!);
  return async () => {
    tracer.kill('SIGINT');
    await once(tracer, 'close');
    return [...told.matchAll(/^\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+).*\b(?:fsync|fdatasync)$/gm)].reduce(
      (sum, [, calls]) => sum + Number(calls),
      0,
    );
  };
}

/** Resolves when `tracer` has attached to every process. */
async function traced(pids: readonly number[], tracer: number): Promise<void> {
  const attached = (pid: number) => readFileSync(`/proc/${pid}/status`, 'utf8').includes(`TracerPid:\t${tracer}\n`);
  while (!pids.every(attached)) await new Promise((resolve) => setImmediate(resolve));
}
