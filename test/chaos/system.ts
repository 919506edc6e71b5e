import { spawnSync } from 'node:child_process';
import { appendFileSync, copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import Sqlite from 'better-sqlite3';
import { type Announced, freePort, Kerf, moduleNames, placements } from '../harness/kerf.ts';
import { Operator } from '../harness/operator.ts';
import { home } from './plan.ts';
import { type FaultsByProcess, folderVariable, type ProcessFaults, writeProcessFaults } from './process-faults.ts';

const program = join(process.cwd(), 'dist', 'faulty-app.js');
const restartAfterMs = 300;
const answersWithinMs = 2_000;
const stopWithinMs = 15_000;

/**
 * A system with every module in a process of its own. A supervisor restarts the home process whenever it ends. The class knows the
 * ids of its processes, so that a fault hits no other process.
 */
export class ChaosSystem {
  readonly dataDir: string;
  readonly log: string;
  #kerf: Kerf | undefined;
  #ends = false;
  #supervising: Promise<void> = Promise.resolve();
  #processFaults: Record<string, ProcessFaults> = {};
  readonly #frozen = new Set<number>();
  readonly #pids = new Set<number>();
  /** Forbidden behavior of the system, in words. */
  readonly wrong: string[] = [];
  /** Number of starts of the home process. */
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

  /** Starts a system and resolves when it is ready. `settings` extend the settings of every chaos run. */
  static async start(folder: string, settings: Record<string, string>): Promise<ChaosSystem> {
    const [port, internal] = [await freePort(), await freePort()];
    mkdirSync(folder, { recursive: true });
    const env = { PORT: String(port), INTERNAL_PORT: String(internal), [folderVariable]: join(folder, 'faults') };
    const out = placements({ name: 'all out', out: moduleNames });
    const system = new ChaosSystem(folder, { ...out, ...env, ...settings }, `http://127.0.0.1:${port}`);
    system.suffer({});
    await system.#startHome();
    system.#copyData();
    system.#supervising = system.#supervise();
    return system;
  }

  /** Replaces the current faults of all processes, by module name or `home`. */
  suffer(processFaults: FaultsByProcess): void {
    this.#processFaults = processFaults;
    writeProcessFaults(join(this.folder, 'faults'), processFaults);
  }

  get processFaults(): FaultsByProcess {
    return this.#processFaults;
  }

  async operate(method: string, path: string, body?: unknown): Promise<{ status: number; body: unknown }> {
    const kerf = this.#kerf;
    if (!kerf) return { status: 0, body: 'the home process is not up' };
    return new Operator(kerf).ask(method, path, body).catch((error: Error) => ({ status: 0, body: error.message }));
  }

  /** Returns the modules and their processes, as the home process reports them. Empty while it does not answer. */
  async modules(): Promise<Announced['modules']> {
    const asked = this.operate('GET', '/topology');
    const answer = await Promise.race([asked, pause(answersWithinMs, undefined, { ref: false })]);
    const modules = answer?.status === 200 ? (answer.body as Announced).modules : [];
    for (const { instances } of modules) for (const { pid } of instances) if (pid) this.#pids.add(pid);
    return modules;
  }

  /** Returns the process ids of a module, or of `home`. */
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

  /** Moves a module's data away. Returns a function that restores it and overwrites newer files. */
  loseFile(module: string): () => void {
    const names = ['', '-wal', '-shm'].map((suffix) => join(this.dataDir, `${module}.db${suffix}`));
    const taken = names.filter((name) => existsSync(name));
    for (const name of taken) renameSync(name, `${name}.aside`);
    return () => {
      for (const name of names) rmSync(name, { force: true });
      for (const name of taken) renameSync(`${name}.aside`, name);
    };
  }

  /** Returns whether the data folder has recorded more commits of a module than the copy contains. */
  hasOlderCopy(module: string): boolean {
    const copy = new Sqlite(this.#copyOf(module), { readonly: true });
    const copied = copy.prepare('SELECT commits FROM kerf_identity').pluck().get() as number;
    copy.close();
    const record = JSON.parse(readFileSync(join(this.dataDir, 'records', `${module}.json`), 'utf8'));
    return record.commits > copied;
  }

  /** Replaces a module's data by the copy from the start of the run. Returns a function that restores the data. */
  putOlderCopy(module: string): () => void {
    const putBack = this.loseFile(module);
    copyFileSync(this.#copyOf(module), join(this.dataDir, `${module}.db`));
    return putBack;
  }

  /** Copies the data of every module at the start of the run. */
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

  /** Returns whether every module is ready. */
  async ready(): Promise<boolean> {
    const modules = await this.modules();
    return modules.length > 0 && modules.every(({ state }) => state === 'ready');
  }

  /** Stops every process of this system by its id. Resolves with the exit code of the home process. */
  async stop(): Promise<number | null> {
    this.#ends = true;
    await this.modules();
    for (const pid of this.#frozen) this.signal(pid, 'SIGCONT');
    const code = await this.#stopHome();
    await this.#supervising;
    // The supervisor may have started another home process meanwhile.
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

  /** Returns whether the process runs this program. The operating system may have reused the id for another one. */
  #isOurs(pid: number): boolean {
    const { stdout } = spawnSync('ps', ['-o', 'args=', '-p', String(pid)], { encoding: 'utf8' });
    return stdout.includes(program);
  }
}
