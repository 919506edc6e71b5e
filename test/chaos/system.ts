import { spawnSync } from 'node:child_process';
import { appendFileSync, copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import Sqlite from 'better-sqlite3';
import { type Announced, freePort, Kerf, moduleNames, placements } from '../harness/kerf.ts';
import { Operator } from '../harness/operator.ts';
import { folderVariable, type Ills, type IllsByTarget, writeIlls } from './ills.ts';
import { home } from './plan.ts';

const program = join(process.cwd(), 'dist', 'faulty-app.js');
const restartAfterMs = 300;
const answersWithinMs = 2_000;
const stopWithinMs = 15_000;

/**
 * Every module in a process of its own, and a supervisor that starts the home process again whenever it ends. Knows the ids of all
 * processes that belong to it, so that a fault hits these and no others.
 */
export class ChaosSystem {
  readonly dataDir: string;
  readonly log: string;
  #kerf: Kerf | undefined;
  #ends = false;
  #supervising: Promise<void> = Promise.resolve();
  #ills: Record<string, Ills> = {};
  readonly #frozen = new Set<number>();
  readonly #pids = new Set<number>();
  /** What the system did and must never do. */
  readonly wrong: string[] = [];
  /** How often the home process was started. */
  starts = 0;
  private readonly folder: string;
  private readonly env: Record<string, string>;
  readonly url: string;

  private constructor(folder: string, env: Record<string, string>, url: string) {
    this.folder = folder;
    this.env = env;
    this.url = url;
    this.dataDir = join(folder, 'data');
    this.log = join(folder, 'log');
  }

  /** Resolves when it is ready. `settings` are in addition to what a chaos run always sets. */
  static async start(folder: string, settings: Record<string, string>): Promise<ChaosSystem> {
    const [port, internal] = [await freePort(), await freePort()];
    mkdirSync(folder, { recursive: true });
    const env = { PORT: String(port), INTERNAL_PORT: String(internal), [folderVariable]: join(folder, 'ills') };
    const out = placements({ name: 'all out', out: moduleNames });
    const system = new ChaosSystem(folder, { ...out, ...env, ...settings }, `http://127.0.0.1:${port}`);
    system.suffer({});
    await system.#startHome();
    system.#copyData();
    system.#supervising = system.#supervise();
    return system;
  }

  /** Replaces what processes suffer from now on, by module name or `home`. */
  suffer(ills: IllsByTarget): void {
    this.#ills = ills;
    writeIlls(join(this.folder, 'ills'), ills);
  }

  get ills(): IllsByTarget {
    return this.#ills;
  }

  async operate(method: string, path: string, body?: unknown): Promise<{ status: number; body: unknown }> {
    const kerf = this.#kerf;
    if (!kerf) return { status: 0, body: 'the home process is not up' };
    return new Operator(kerf).ask(method, path, body).catch((error: Error) => ({ status: 0, body: error.message }));
  }

  /** What runs where, as the home process says it; nothing while it does not answer. */
  async modules(): Promise<Announced['modules']> {
    const asked = this.operate('GET', '/topology');
    const answer = await Promise.race([asked, pause(answersWithinMs, undefined, { ref: false })]);
    const modules = answer?.status === 200 ? (answer.body as Announced).modules : [];
    for (const { instances } of modules) for (const { pid } of instances) if (pid) this.#pids.add(pid);
    return modules;
  }

  /** The process ids of a module, or of `home`. */
  async pidsOf(target: string): Promise<number[]> {
    const own = this.#kerf?.process.pid;
    if (target === home) return own ? [own] : [];
    const module = (await this.modules()).find(({ name }) => name === target);
    return module?.instances.flatMap(({ pid }) => (pid && pid !== own ? [pid] : [])) ?? [];
  }

  /** Sends a signal to a process of this system. Returns whether it was still there. */
  signal(pid: number, signal: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): boolean {
    if (!this.#isOurs(pid)) return false;
    process.kill(pid, signal);
    if (signal === 'SIGSTOP') this.#frozen.add(pid);
    if (signal === 'SIGCONT') this.#frozen.delete(pid);
    return true;
  }

  /** Takes a module's data away. Returns the way to put it back, over whatever was written in its place. */
  loseFile(module: string): () => void {
    const names = ['', '-wal', '-shm'].map((suffix) => join(this.dataDir, `${module}.db${suffix}`));
    const taken = names.filter((name) => existsSync(name));
    for (const name of taken) renameSync(name, `${name}.aside`);
    return () => {
      for (const name of names) rmSync(name, { force: true });
      for (const name of taken) renameSync(`${name}.aside`, name);
    };
  }

  /** Whether the data folder has seen more commits of a module than its copy has. */
  hasOlderCopy(module: string): boolean {
    const copy = new Sqlite(this.#copyOf(module), { readonly: true });
    const copied = copy.prepare('SELECT commits FROM kerf_identity').pluck().get() as number;
    copy.close();
    const record = JSON.parse(readFileSync(join(this.dataDir, 'records', `${module}.json`), 'utf8'));
    return record.commits > copied;
  }

  /** Puts the copy of the start of the run in place of a module's data. Returns the way back. */
  putOlderCopy(module: string): () => void {
    const putBack = this.loseFile(module);
    copyFileSync(this.#copyOf(module), join(this.dataDir, `${module}.db`));
    return putBack;
  }

  /** Copies what every module has at the start of the run. */
  #copyData(): void {
    mkdirSync(join(this.folder, 'copies'));
    for (const module of moduleNames) {
      const database = new Sqlite(join(this.dataDir, `${module}.db`), { readonly: true, timeout: 5_000 });
      database.prepare('VACUUM INTO ?').run(this.#copyOf(module));
      database.close();
    }
  }

  #copyOf(module: string): string {
    return join(this.folder, 'copies', `${module}.db`);
  }

  /** Whether every module answers. */
  async ready(): Promise<boolean> {
    const modules = await this.modules();
    return modules.length > 0 && modules.every(({ state }) => state === 'ready');
  }

  /** Stops every process it ever started, by its own id; resolves with the exit code of the home process. */
  async stop(): Promise<number | null> {
    this.#ends = true;
    await this.modules();
    for (const pid of this.#frozen) this.signal(pid, 'SIGCONT');
    const code = await this.#stopHome();
    await this.#supervising;
    // One that was on its way up meanwhile.
    await this.#stopHome();
    for (const pid of this.#pids) this.signal(pid, 'SIGKILL');
    return code;
  }

  async #stopHome(): Promise<number | null> {
    const kerf = this.#kerf;
    const last = setTimeout(() => void kerf?.kill(), stopWithinMs);
    const code = (await kerf?.stop()) ?? null;
    clearTimeout(last);
    return code;
  }

  async #startHome(): Promise<void> {
    this.starts += 1;
    this.#kerf = await Kerf.start({ env: this.env, dataDir: this.dataDir, program, ownGroup: true });
    this.#pids.add(this.#kerf.process.pid!);
    await this.modules();
  }

  async #supervise(): Promise<void> {
    while (!this.#ends) {
      const kerf = this.#kerf;
      await kerf?.exited();
      if (kerf) appendFileSync(this.log, kerf.stderr);
      this.#kerf = undefined;
      if (this.#ends) return;
      await pause(restartAfterMs);
      await this.#startHome().catch((error: Error) => appendFileSync(this.log, `${error.message}\n`));
    }
  }

  /** An id may have been given to another program since. */
  #isOurs(pid: number): boolean {
    const { stdout } = spawnSync('ps', ['-o', 'args=', '-p', String(pid)], { encoding: 'utf8' });
    return stdout.includes(program);
  }
}
