// Processes that outlive the command that started them: told apart from a later one of the same id by when they began.
import { spawn, spawnSync } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

/** Starts a program in its own session and appends its output to `log`. Resolves with `{ pid, began }`. */
export async function launch({ program, words, env, uid, gid, cwd }, log) {
  const output = openSync(log, 'a');
  const child = spawn(program, words, { env, uid, gid, cwd, detached: true, stdio: ['ignore', output, output] });
  closeSync(output);
  await new Promise((resolve, reject) => child.once('spawn', resolve).once('error', reject));
  child.unref();
  return { pid: child.pid, began: beginning(child.pid) };
}

/** Whether this very process still runs. */
export function runs({ pid, began }) {
  return began !== undefined && beginning(pid) === began;
}

/** The processes that it has forked. */
export function childrenOf({ pid }) {
  const { stdout } = spawnSync('pgrep', ['-P', String(pid)], { encoding: 'utf8' });
  return (stdout ?? '')
    .split('\n')
    .filter(Boolean)
    .map((child) => ({ pid: Number(child), began: beginning(child) }));
}

/** Signals it, and resolves when it has ended; one that does not end by itself within `patienceMs` is killed. */
export async function end(process_, signal, patienceMs = 20_000) {
  const deadline = performance.now() + patienceMs;
  if (runs(process_)) process.kill(process_.pid, signal);
  while (runs(process_)) {
    if (performance.now() > deadline) process.kill(process_.pid, 'SIGKILL');
    await pause(20);
  }
}

/** Kills the processes when this process ends in any way. Resolves with a function that prevents this. */
export function killWhenGone(processes) {
  const pids = processes.map(({ pid }) => String(pid));
  const watch = spawn('sh', ['-c', 'read -r word; [ "$word" = off ] || kill -9 "$@"', 'watch', ...pids], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  watch.unref();
  watch.stdin.unref();
  return () => {
    if (!watch.stdin.writableEnded) watch.stdin.end('off\n');
  };
}

/** Whether a server at the port answers `hello` with a text that `expected` accepts. */
export function answers(port, hello, expected, patienceMs = 2000) {
  return new Promise((resolve) => {
    const heard = [];
    const socket = createConnection({ port, host: '127.0.0.1', timeout: patienceMs });
    const done = (answered) => {
      socket.destroy();
      resolve(answered);
    };
    socket.on('connect', () => (hello ? socket.write(hello) : undefined));
    socket.on('data', (chunk) => {
      heard.push(chunk);
      if (expected(Buffer.concat(heard))) done(true);
    });
    for (const event of ['error', 'end', 'close', 'timeout']) socket.on(event, () => done(false));
  });
}

/** Whether the port accepts connections. */
export function taken(port) {
  return new Promise((resolve) => {
    const socket = createConnection({ port, host: '127.0.0.1' });
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

/** Where the program is: in one of the folders, on the search path, or where a user's search path leaves out. */
export function find(program, folders = []) {
  const { status, stdout } = spawnSync('sh', ['-c', 'command -v "$0"', program], {
    encoding: 'utf8',
    env: { ...process.env, PATH: [...folders, process.env.PATH, '/usr/sbin', '/usr/local/sbin'].join(':') },
  });
  return status === 0 ? stdout.trim() : undefined;
}

/** When the process began; undefined when there is none, or only its exit status is left to collect. */
function beginning(pid) {
  if (process.platform !== 'linux') {
    return spawnSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).stdout.trim() || undefined;
  }
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1).split(' ');
    const [state, threads, began] = [fields[0], fields[17], fields[19]];
    // Until the other threads end, they keep their ports and locks.
    return state === 'Z' && Number(threads) <= 1 ? undefined : began;
  } catch {
    return undefined;
  }
}
