import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { devNull, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fail, node, root } from '../setup.mjs';

/** Starts a system in a folder of its own, on free ports, and resolves when it is ready. */
export async function startSystem(placements) {
  const dataDir = mkdtempSync(join(tmpdir(), 'kerf-drill-'));
  const settings = { DATA_DIR: dataDir, TOPOLOGY: devNull, PORT: '0', INTERNAL_PORT: '0', LOG_LEVEL: 'silent' };
  const child = spawn(node(), [join(root, 'dist', 'app.js'), '--json'], {
    env: { PATH: process.env.PATH, ...settings, RATE_LIMIT_PER_MINUTE: '0', ...placements },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = new Promise((resolve) => child.once('exit', resolve));
  const ready = new Promise((resolve) => createInterface({ input: child.stdout }).once('line', resolve));
  const line = await Promise.race([ready, exited]);
  if (typeof line !== 'string') fail(`the system ended with ${line} before it was ready; the lines above say why`);
  return new System(child, exited, JSON.parse(line), dataDir);
}

class System {
  #child;
  #exited;
  #token;
  #internal;

  constructor(child, exited, announced, dataDir) {
    this.#child = child;
    this.#exited = exited;
    this.#internal = announced.internal;
    this.#token = readFileSync(join(dataDir, 'operator-token'), 'utf8').trim();
    this.url = announced.public;
    this.dataDir = dataDir;
  }

  /** Whether the home process runs. */
  get lives() {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  async put(path, body) {
    const answer = await fetch(`${this.#internal}${path}`, {
      method: 'PUT',
      headers: { authorization: `Bearer ${this.#token}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    if (!answer.ok) throw new Error(`${path} answered ${answer.status} ${await answer.text()}`);
  }

  async pidsOf(module) {
    const { instances } = await this.#module(module);
    return instances.flatMap(({ pid }) => pid ?? []);
  }

  /** Resolves when it answers. */
  async ready(module) {
    while ((await this.#module(module)).state !== 'ready') await new Promise((resolve) => setTimeout(resolve, 50));
  }

  kill(pid) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch (error) {
      if (error.code !== 'ESRCH') throw error;
    }
  }

  async stop() {
    this.#child.kill('SIGTERM');
    const last = setTimeout(() => this.#child.kill('SIGKILL'), 15_000);
    await this.#exited;
    clearTimeout(last);
  }

  async #module(name) {
    const headers = { authorization: `Bearer ${this.#token}` };
    const answer = await fetch(`${this.#internal}/ops/topology`, { headers });
    const { modules } = await answer.json();
    return modules.find((module) => module.name === name);
  }
}
