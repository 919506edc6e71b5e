import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type Announced, Kerf, moduleNames } from '../../test/harness/kerf.ts';
import { Shop } from '../../test/harness/shop.ts';

const members = 10;

/** A running application that takes orders, with all its processes. */
export interface Running {
  readonly name: string;
  readonly port: number;
  readonly tokens: readonly string[];
  readonly pids: readonly number[];
  /** Whether the application only takes orders and answers no other request. */
  readonly isForOrders?: boolean;
  /** Whether it is measured with one client only. */
  readonly isForOne?: boolean;
  stop(): Promise<void>;
}

/** A contestant that is not running yet. */
export interface Contestant {
  readonly name: string;
  open(): Promise<Running>;
}

/**
 * Returns the contestants; the first is the baseline. Each keeps its data in its own folder below `folder`. `before` is the artifact of
 * another release, which becomes a contestant too.
 */
export function contestants(folder: string, before?: string): readonly Contestant[] {
  const peers = {
    'plain hono': { file: 'plain.mjs' },
    nestjs: { file: 'nest.mjs' },
    "kerf's rows, bare": { file: 'bare.mjs', isForOrders: true },
    "kerf's steps, bare": { file: 'steps.mjs', isForOrders: true, isForOne: true },
  };
  const systems: [name: string, out: readonly string[], program?: string][] = [
    ['kerf, one process', []],
    ['kerf, payments out', ['payments']],
    ['kerf, all out', moduleNames],
  ];
  if (before !== undefined) systems.push(['before, one process', [], before], ['before, all out', moduleNames, before]);
  return [
    ...Object.entries(peers).map(([name, { file, ...limits }]) => ({
      name,
      open: async () => ({ ...(await peer(name, file, folder)), ...limits }),
    })),
    ...systems.map(([name, out, program]) => ({ name, open: () => kerf(name, out, folder, program) })),
  ];
}

async function peer(name: string, file: string, folder: string): Promise<Running> {
  const env = {
    ...{ PATH: process.env.PATH, NODE_ENV: 'production', SHOP_MEMBERS: String(members) },
    ...{ SHOP_FILE: join(folder, `${file}.db`), ...probed(folder, join('bench', 'peers')) },
  };
  const child = spawn(process.execPath, [join('bench', 'peers', 'orders', file)], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const { url, tokens } = JSON.parse(await firstLine(child)) as { url: string; tokens: string[] };
  const stop = async () => {
    child.kill('SIGTERM');
    await once(child, 'exit');
  };
  return { name, port: portOf(url), tokens, pids: [child.pid!], stop };
}

/** Starts Kerf in one process. The first SIGUSR2 starts a CPU profile, and the next one writes it into `folder`. */
export function profiledKerf(folder: string): Promise<Running> {
  return kerf('profiled', [], folder, undefined, probed(folder, '.', 'profile-probe.mjs'));
}

/** Starts Kerf in one process with these settings. */
export function kerfWith(name: string, env: Readonly<Record<string, string>>, folder: string): Promise<Running> {
  return kerf(name, [], folder, undefined, { ...probed(folder), ...env });
}

async function kerf(
  name: string,
  out: readonly string[],
  folder: string,
  program?: string,
  watch = probed(folder),
): Promise<Running> {
  const placements = out.map((module) => [`MODULE_${module.toUpperCase()}`, 'http'] as const);
  const dataDir = join(folder, name.replace(/\W+/g, '-'));
  const env = { NODE_ENV: 'production', ...watch, ...Object.fromEntries(placements) };
  const running = await Kerf.start({ dataDir, env, program });
  const shops = await Promise.all(
    Array.from({ length: members }, () => new Shop(running.url).post('/members', person())),
  );
  const tokens = await Promise.all(
    shops.map(async ({ body }) => (await signIn(running.url, (body as { email?: string }).email!)).token),
  );
  const { modules } = (await running.ops('/ops/topology')) as Announced;
  const services = modules.flatMap(({ instances }) => instances.flatMap(({ pid }) => (pid === null ? [] : [pid])));
  const pids = [...new Set([running.process.pid!, ...services])];
  return { name, port: portOf(running.url), tokens, pids, stop: async () => void (await running.stop()) };
}

async function signIn(url: string, email: string): Promise<{ token: string }> {
  return (await new Shop(url).post<{ token: string }>('/sessions', { email, password: 'correct horse' })).body;
}

function person() {
  return { email: `${crypto.randomUUID()}@example.com`, password: 'correct horse', name: 'Member' };
}

function probed(folder: string, packages = '.', probe = 'usage-probe.mjs'): Record<string, string> {
  const file = join(process.cwd(), 'test', 'harness', probe);
  return { NODE_OPTIONS: `--import=${file}`, PROBE_DIR: folder, PROBE_PACKAGES: packages };
}

async function firstLine(child: ChildProcess): Promise<string> {
  const [line] = await once(createInterface({ input: child.stdout! }), 'line');
  return line as string;
}

function portOf(url: string): number {
  return Number(new URL(url).port);
}
