// Checks of the settings, and of what they name: ports, brokers, sources of addresses.
import { spawn } from 'node:child_process';
import { connect, createServer } from 'node:net';
import { text } from 'node:stream/consumers';
import { type Prerequisites, prerequisitesSchema } from '../../src/shared/control/admin-contract/index.ts';
import { app } from '../programs.ts';
import { node, root } from '../setup.mjs';
import { error, type Finding, ok, type Subject, warning } from './check.ts';

const withinMs = 15_000;

/** Has the program read the topology and the settings. Rejects with its message when it refuses them. */
export async function readSettings(words: readonly string[], environment = process.env): Promise<Prerequisites> {
  const child = spawn(node(), [app, '--prerequisites', ...words], {
    cwd: root,
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: withinMs,
  });
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  const line = stdout.split('\n').find((each) => each.startsWith('{'));
  if (line) return prerequisitesSchema.parse(JSON.parse(line));
  throw new Error(stderr.trim().replace(/^kerf: /, '') || `the program did not answer within ${withinMs / 1_000} s`);
}

/** Says whether a start accepts the topology and the settings. */
export function settings({ settings: read, whyNoSettings }: Subject): Finding[] {
  return read
    ? [ok('the topology and the settings can be used')]
    : [
        error(
          whyNoSettings ?? 'the settings cannot be read',
          'correct topology.yaml or the environment; what needs the settings was not checked',
        ),
      ];
}

/** Checks that the ports are free, unless the running system has them. */
export async function ports({ settings: read, system, whyNoSystem }: Subject, look = whyTaken): Promise<Finding[]> {
  if (!read || system || whyNoSystem) return [];
  const found = read.listeners.map(async ({ setting, host, port }) => {
    if (port === 0) return ok(`${setting}: a free port`);
    const why = await look(host, port);
    return why === undefined
      ? ok(`${setting}: ${host}:${port} is free`)
      : error(`${setting}: ${host}:${port} cannot be used: ${why}`, cureOfPort(setting, why));
  });
  return Promise.all(found);
}

function cureOfPort(setting: string, why: string): string {
  return why === 'EADDRINUSE'
    ? `stop what listens there, or set ${setting} to a free port`
    : `set ${setting}, or the address beside it (HOST, INTERNAL_HOST), to what this machine has`;
}

/** Resolves with the code of the error with which a listener would fail. */
function whyTaken(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', ({ code, message }: NodeJS.ErrnoException) => resolve(code ?? message));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(undefined)));
  });
}

/** Resolves with whether anything listens at a port of this machine. */
export function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port, timeout: 1_000 });
    const end = (does: boolean) => () => {
      socket.destroy();
      resolve(does);
    };
    socket.once('connect', end(true)).once('error', end(false)).once('timeout', end(false));
  });
}

/** Says which brokers answer, and accept this user. */
export function brokers({ brokers: named }: Prerequisites): Finding[] {
  if (named.length === 0) return [ok('the topology names no broker')];
  return named.map(({ setting, address, why }) =>
    why === undefined
      ? ok(`${setting}: ${address} answers`)
      : error(
          `${setting}: ${address} cannot be used: ${why}`,
          'start the broker, or correct host, port, user and password',
        ),
  );
}

/** Says which sources of addresses answer. */
export function sources({ sources: named }: Prerequisites): Finding[] {
  return named.map(({ module, source, found }) =>
    found > 0
      ? ok(`${module}: ${source} lists ${found} ${found === 1 ? 'address' : 'addresses'}`)
      : warning(
          `${module}: ${source} lists no address`,
          'start the module, or correct the name or the file; calls to it are refused meanwhile',
        ),
  );
}
