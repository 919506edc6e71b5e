import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { devNull, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import { type faultsSchema, type ModuleState, topologyAnswer } from '../../src/shared/control/admin-contract/index.ts';
import { app } from '../programs.ts';
import { fail, node } from '../setup.mjs';

/** The first line of a system's output. */
const announcedSchema = z.object({ public: z.string(), internal: z.string() });
type Announced = z.output<typeof announcedSchema>;

/** Settings of placements, such as MODULE_PAYMENTS. */
export type Placements = Readonly<Record<string, string>>;

/** Starts a system in a new folder, on free ports, and resolves when it is ready. */
export async function startSystem(placements: Placements): Promise<System> {
  const dataDir = mkdtempSync(join(tmpdir(), 'kerf-drill-'));
  const settings = { DATA_DIR: dataDir, TOPOLOGY: devNull, PORT: '0', INTERNAL_PORT: '0', LOG_LEVEL: 'silent' };
  const child = spawn(node(), [app, '--json'], {
    env: { PATH: process.env.PATH, ...settings, RATE_LIMIT_PER_MINUTE: '0', ...placements },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const ready = new Promise<string>((resolve) => createInterface({ input: child.stdout }).once('line', resolve));
  const line = await Promise.race([ready, exited]);
  if (typeof line !== 'string') fail(`the system ended with ${line} before it was ready; the lines above say why`);
  return new System(child, exited, announcedSchema.parse(JSON.parse(line)), dataDir);
}

export class System {
  readonly url: string;
  readonly dataDir: string;
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;
  readonly #token: string;
  readonly #internal: string;

  constructor(child: ChildProcess, exited: Promise<unknown>, announced: Announced, dataDir: string) {
    this.#child = child;
    this.#exited = exited;
    this.#internal = announced.internal;
    this.#token = readFileSync(join(dataDir, 'operator-token'), 'utf8').trim();
    this.url = announced.public;
    this.dataDir = dataDir;
  }

  /** Whether the home process runs. */
  get lives(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Replaces all faults. */
  async inject(...faults: z.input<typeof faultsSchema>['faults']): Promise<void> {
    const path = '/ops/faults';
    const answer = await fetch(`${this.#internal}${path}`, {
      method: 'PUT',
      headers: { authorization: `Bearer ${this.#token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ faults }),
    });
    if (!answer.ok) throw new Error(`${path} answered ${answer.status} ${await answer.text()}`);
  }

  async pidsOf(module: string): Promise<number[]> {
    const { instances = [] } = (await this.#module(module)) ?? {};
    return instances.flatMap(({ pid }) => pid ?? []);
  }

  /** Resolves when it answers. */
  async ready(module: string): Promise<void> {
    while ((await this.#module(module))?.state !== 'ready') await pause(50);
  }

  kill(pid: number): void {
    try {
      process.kill(pid, 'SIGKILL');
    } catch (error) {
      // It has already ended.
      if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
    }
  }

  async stop(): Promise<void> {
    this.#child.kill('SIGTERM');
    const last = setTimeout(() => this.#child.kill('SIGKILL'), 15_000);
    await this.#exited;
    clearTimeout(last);
  }

  async #module(name: string): Promise<ModuleState | undefined> {
    const headers = { authorization: `Bearer ${this.#token}` };
    const answer = await fetch(`${this.#internal}/ops/topology`, { headers });
    const { modules } = topologyAnswer.parse(await answer.json());
    return modules.find((module) => module.name === name);
  }
}
