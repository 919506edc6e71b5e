import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Kind, Place } from './kind.ts';
import { answers, type Began, childrenOf, end, launch, runs, taken } from './processes.ts';

const patienceMs = 90_000;

/** One server at a port. It writes only below `folder`: its data, its log, and its process ids. */
export class Instance implements Place {
  readonly kind: Kind;
  readonly port: number;
  readonly folder: string;

  constructor(kind: Kind, { port, folder }: Place) {
    this.kind = kind;
    this.port = port;
    this.folder = folder;
  }

  get log(): string {
    return join(this.folder, 'log');
  }

  /** The processes of the server: helpers first, the server itself last. */
  get processes(): Began[] {
    const file = join(this.folder, 'processes.json');
    return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : [];
  }

  /** The process id of the server; undefined when it does not run. */
  get pid(): number | undefined {
    const server = this.processes.at(-1);
    return server && runs(server) ? server.pid : undefined;
  }

  /** Resolves with true when any server of this kind answers at the port. */
  answers(): Promise<boolean> {
    return answers(this.port, this.kind);
  }

  /**
   * Starts the server with the data in the folder, or waits for a running start. Resolves when it answers.
   * Throws with the end of its log when it does not answer.
   */
  async start(): Promise<void> {
    if (this.pid === undefined) await this.#launch();
    await this.#ready();
  }

  /** Sends SIGKILL to the server and its children, like a power cut. The data stays. */
  async kill(): Promise<void> {
    const server = this.processes.at(-1);
    if (!server) return;
    const forked = childrenOf(server);
    await end(server, 'SIGKILL');
    for (const process of forked) await end(process, 'SIGKILL');
  }

  /** Stops the server cleanly. Resolves when it has ended. Its data stays. */
  async halt(): Promise<void> {
    for (const process of this.processes.reverse()) await end(process, this.kind.stopSignal);
    rmSync(join(this.folder, 'processes.json'), { force: true });
  }

  /** Ends the server and removes all its files. */
  async stop(): Promise<void> {
    await this.halt();
    await this.kind.remove?.(this);
    rmSync(this.folder, { recursive: true, force: true });
  }

  async #launch(): Promise<void> {
    await this.halt();
    if (await taken(this.port)) {
      throw new Error(`${this.kind.name}: port ${this.port} is taken by another program; stop that one first`);
    }
    mkdirSync(this.folder, { recursive: true });
    await this.kind.prepare(this);
    const processes: Began[] = [];
    for (const command of await this.kind.commands(this)) {
      processes.push(await launch(command, this.log));
      writeFileSync(join(this.folder, 'processes.json'), JSON.stringify(processes));
    }
  }

  async #ready(): Promise<void> {
    const deadline = performance.now() + patienceMs;
    while (!(await this.answers())) {
      const late = performance.now() > deadline;
      if (!late && this.pid !== undefined) {
        await pause(50);
        continue;
      }
      const said = readFileSync(this.log, 'utf8').trim().split('\n').slice(-15).join('\n');
      await this.halt();
      const what = late ? `did not answer within ${patienceMs / 1000} seconds` : 'ended before it answered';
      throw new Error(`${this.kind.name} ${what}; the end of ${this.log}:\n${said}`);
    }
  }
}
