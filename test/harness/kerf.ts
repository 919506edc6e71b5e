import { type ChildProcess, spawn } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { devNull, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { refuseSecrets } from './log.ts';

export { freePort } from '../../scripts/services/free-port.ts';

/** The name of every module. */
export const moduleNames: readonly string[] = readdirSync('src/modules').sort();
export type ModuleName = string;

/** The modules that run in processes of their own. The others run in the home process. */
export interface TestTopology {
  readonly name: string;
  readonly out: readonly ModuleName[];
  /** Placement of these modules. Default: `http`. */
  readonly via?: string;
  /** The bus that carries events, unless it is the default one. */
  readonly bus?: string;
}

export function placements({ out, via = 'http', bus }: TestTopology): Record<string, string> {
  const modules = out.map((name) => [`MODULE_${name.toUpperCase().replaceAll('-', '_')}`, via]);
  return Object.fromEntries(bus ? [...modules, ['BUS', bus]] : modules);
}

export interface StartOptions {
  env?: Record<string, string>;
  /** A data folder that survives `stop`. Without it, `Kerf` creates a folder and removes it at `stop`. */
  dataDir?: string;
  words?: string[];
  /** The `app.js` of another release. Default: the one built here. */
  program?: string;
  /** Whether the process gets its own process group, as from a shell. A signal to the group also reaches the module processes. */
  ownGroup?: boolean;
}

export interface Announced {
  public: string | null;
  internal: string;
  bus: string;
  modules: {
    name: string;
    placement: string;
    state: string;
    instances: { pid: number | null; address: string | null }[];
  }[];
}

/** A real process of the built artifact, on free ports. */
export class Kerf {
  #exit: Promise<number | null>;
  readonly process: ChildProcess;
  readonly announced: Announced;
  readonly dataDir: string;
  private readonly ownsData: boolean;
  private readonly output: { stderr: string };

  private constructor(
    process: ChildProcess,
    announced: Announced,
    dataDir: string,
    ownsData: boolean,
    output: { stderr: string },
  ) {
    this.process = process;
    this.announced = announced;
    this.dataDir = dataDir;
    this.ownsData = ownsData;
    this.output = output;
    this.#exit = new Promise((resolve) => {
      if (process.exitCode !== null || process.signalCode !== null) resolve(process.exitCode);
      else process.once('exit', (code) => resolve(code));
    });
  }

  static async start({ env = {}, dataDir, words = [], ownGroup, program }: StartOptions = {}): Promise<Kerf> {
    const folder = dataDir ?? newDataDir();
    const { child, output } = spawnKerf({ ...env, DATA_DIR: folder }, words, ownGroup, program);
    const announced = await new Promise<Announced>((resolve, reject) => {
      createInterface({ input: child.stdout! }).once('line', (line) => resolve(JSON.parse(line)));
      child.once('exit', (code) => reject(new Error(`kerf ended with ${code} before it was ready: ${output.stderr}`)));
    });
    return new Kerf(child, announced, folder, dataDir === undefined, output);
  }

  /** The public address. */
  get url(): string {
    return this.announced.public!;
  }

  get stderr(): string {
    return this.output.stderr;
  }

  /** Returns the process id of an extracted module, as `/ops/topology` reports it now. */
  async pidOf(module: ModuleName): Promise<number | null> {
    return (await this.#instancesOf(module))[0]?.pid ?? null;
  }

  /** Returns the process ids of the module's ready instances. */
  async readyPidsOf(module: ModuleName): Promise<number[]> {
    const instances = await this.#instancesOf(module);
    return instances.flatMap(({ pid, address }) => (pid !== null && address !== null ? [pid] : []));
  }

  async #instancesOf(module: ModuleName): Promise<Announced['modules'][number]['instances']> {
    const { modules } = (await this.ops('/ops/topology')) as Announced;
    return modules.find(({ name }) => name === module)?.instances ?? [];
  }

  async ops(path: string): Promise<unknown> {
    const token = readFileSync(join(this.dataDir, 'operator-token'), 'utf8').trim();
    const answer = await fetch(`${this.announced.internal}${path}`, { headers: { authorization: `Bearer ${token}` } });
    return answer.json();
  }

  /** Sends SIGTERM. Resolves with the exit code. Rejects when the log contains what it must not. */
  async stop(): Promise<number | null> {
    this.process.kill('SIGTERM');
    const code = await this.#exit;
    refuseSecrets(this.stderr, ...this.#operatorToken());
    if (this.ownsData) rmSync(this.dataDir, { recursive: true, force: true });
    return code;
  }

  #operatorToken(): string[] {
    const file = join(this.dataDir, 'operator-token');
    return existsSync(file) ? [readFileSync(file, 'utf8').trim()] : [];
  }

  /** Sends SIGKILL, like a crash, a power cut or an impatient supervisor. */
  async kill(): Promise<void> {
    this.process.kill('SIGKILL');
    await this.#exit;
  }

  /** Resolves when the process has ended by itself. */
  exited(): Promise<number | null> {
    return this.#exit;
  }
}

/** Creates a data folder. When `DATA_TEMPLATE` names another release's data folder, copies it (`npx kerf check-releases`). */
export function newDataDir(): string {
  const folder = mkdtempSync(join(tmpdir(), 'kerf-test-'));
  const { DATA_TEMPLATE } = process.env;
  if (DATA_TEMPLATE) cpSync(DATA_TEMPLATE, folder, { recursive: true });
  return folder;
}

/** Starts a process that must fail to start. Resolves with its exit code and its output. Kills a process that becomes ready. */
export async function startAndFail(
  env: Record<string, string>,
  words: string[] = [],
  program?: string,
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const { child, output } = spawnKerf(env, words, false, program);
  let stdout = '';
  child.stdout!.on('data', (chunk: Buffer) => {
    stdout += chunk.toString();
    if (stdout.startsWith('{')) child.kill('SIGKILL');
  });
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, stdout, stderr: output.stderr };
}

function spawnKerf(
  env: Record<string, string>,
  words: string[],
  ownGroup = false,
  program = join(process.cwd(), 'dist', 'app.js'),
) {
  const child = spawn(process.execPath, [program, '--json', ...words], {
    env: {
      PATH: process.env.PATH,
      // A test begins with an empty topology and ignores the one of the checkout.
      TOPOLOGY: devNull,
      PORT: '0',
      INTERNAL_PORT: '0',
      LOG_LEVEL: 'warn',
      RATE_LIMIT_PER_MINUTE: '0',
      // Tests create releases in temporary folders.
      ARTIFACTS: `dist,${tmpdir()}`,
      DRAIN_DELAY_MS: '0',
      // Parsing the bundle costs a fifth of a start.
      NODE_COMPILE_CACHE: join(process.cwd(), 'node_modules', '.cache', 'kerf-tests'),
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: ownGroup,
  });
  const output = { stderr: '' };
  child.stderr!.on('data', (chunk: Buffer) => {
    output.stderr += chunk.toString();
  });
  return { child, output };
}

/** Calls `check` again and again until it returns a value. Throws after `withinMs` with the name of the missing event (`what`). */
export async function eventually<T>(
  check: () => Promise<T | undefined | false>,
  what: string,
  withinMs = 60_000,
): Promise<T> {
  const end = Date.now() + withinMs;
  for (;;) {
    const found = await check();
    if (found !== undefined && found !== false) return found;
    if (Date.now() > end) throw new Error(`${what} did not happen within ${withinMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}
