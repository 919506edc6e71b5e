// Processes that outlive the command that started them. Their start time distinguishes them from later processes with the same id.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

import type { Command, Kind } from './kind.ts';

/** A process. Its start time distinguishes it from a later process with the same id. */
export interface Began {
  readonly pid: number;
  readonly began: string | undefined;
}

/** Starts a program in its own session and appends its output to `log`. Rejects when it cannot be started. */
export async function launch({ program, words, ...options }: Command, log: string): Promise<Began> {
  const output = openSync(log, 'a');
  const child = spawn(program, words, { ...options, detached: true, stdio: ['ignore', output, output] });
  closeSync(output);
  await once(child, 'spawn');
  child.unref();
  const { pid } = child;
  if (pid === undefined) throw new Error(`${program} did not start`);
  return { pid, began: beginning(pid) };
}

/** Returns whether exactly this process still runs. */
export function runs({ pid, began }: Began): boolean {
  return began !== undefined && beginning(pid) === began;
}

/** Returns its child processes. */
export function childrenOf({ pid }: Began): Began[] {
  const { stdout } = spawnSync('pgrep', ['-P', String(pid)], { encoding: 'utf8' });
  return (stdout ?? '')
    .split('\n')
    .filter(Boolean)
    .map(Number)
    .map((child) => ({ pid: child, began: beginning(child) }));
}

/** Signals the process, and kills it after `patienceMs`. Resolves when it has ended. */
export async function end(process_: Began, signal: NodeJS.Signals, patienceMs = 20_000): Promise<void> {
  const deadline = performance.now() + patienceMs;
  if (runs(process_)) process.kill(process_.pid, signal);
  while (runs(process_)) {
    if (performance.now() > deadline) process.kill(process_.pid, 'SIGKILL');
    await pause(20);
  }
}

/** Kills the processes when this process ends in any way. Returns a function that prevents this. */
export function killWhenGone(processes: readonly Began[]): () => void {
  const pids = processes.map(({ pid }) => String(pid));
  const watch = spawn('sh', ['-c', 'read -r word; [ "$word" = off ] || kill -9 "$@"', 'watch', ...pids], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  watch.unref();
  // Only the declared type of a pipe is wider than its real type.
  if ('unref' in watch.stdin && typeof watch.stdin.unref === 'function') watch.stdin.unref();
  return () => {
    if (!watch.stdin.writableEnded) watch.stdin.end('off\n');
  };
}

/** Resolves with true when a server at the port answers `hello` as `answer` expects. */
export function answers(port: number, { hello, answer }: Pick<Kind, 'hello' | 'answer'>): Promise<boolean> {
  return new Promise((resolve) => {
    const heard: Buffer[] = [];
    const socket = createConnection({ port, host: '127.0.0.1', timeout: 2_000 });
    const done = (answered: boolean) => {
      socket.destroy();
      resolve(answered);
    };
    socket.on('connect', () => (hello ? socket.write(hello) : undefined));
    socket.on('data', (chunk) => {
      heard.push(chunk);
      if (answer(Buffer.concat(heard))) done(true);
    });
    for (const event of ['error', 'end', 'close', 'timeout'] as const) socket.on(event, () => done(false));
  });
}

/** Resolves with true when the port accepts connections. */
export function taken(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ port, host: '127.0.0.1' });
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

/** Returns the path of a program: in one of the folders, on the search path, or in system folders outside a user's search path. */
export function find(program: string, folders: readonly string[] = []): string | undefined {
  const { status, stdout } = spawnSync('sh', ['-c', 'command -v "$0"', program], {
    encoding: 'utf8',
    env: { ...process.env, PATH: [...folders, process.env.PATH, '/usr/sbin', '/usr/local/sbin'].join(':') },
  });
  return status === 0 ? stdout.trim() : undefined;
}

/** Returns the path of a program like `find`. Throws when it is missing. */
export function pathOf(program: string, folders: readonly string[] = []): string {
  const found = find(program, folders);
  if (found === undefined) throw new Error(`there is no program "${program}" on this machine`);
  return found;
}

/** Returns the start time of a process; undefined when it has ended, even if its parent has not collected the exit status. */
function beginning(pid: number): string | undefined {
  if (process.platform !== 'linux') {
    return spawnSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).stdout.trim() || undefined;
  }
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
    const [state, threads, began] = [fields[0], fields[17], fields[19]];
    // The other threads keep their ports and locks until they end.
    return state === 'Z' && Number(threads) <= 1 ? undefined : began;
  } catch {
    return undefined;
  }
}
