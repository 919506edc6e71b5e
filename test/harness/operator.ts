import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CommandHost, type Ended } from './commands.ts';
import type { Kerf } from './kerf.ts';
import type { Answer } from './shop.ts';

/** A dead letter as the admin routes show it. */
export interface Letter {
  readonly module: string;
  readonly id: string;
  readonly type: string;
  readonly key: string;
  readonly state: string;
  readonly attempts: number;
  readonly lastError: string;
  readonly event: { readonly id: string; readonly data: Record<string, unknown> };
  readonly history: readonly { at: string; what: string; why?: string }[];
}

export type { Ended };

let host: CommandHost | undefined;

/** Operates a running system through its internal listener and the command line. */
export class Operator {
  private readonly kerf: Pick<Kerf, 'announced' | 'dataDir'>;
  private readonly token: string;

  constructor(
    kerf: Pick<Kerf, 'announced' | 'dataDir'>,
    token = readFileSync(join(kerf.dataDir, 'operator-token'), 'utf8').trim(),
  ) {
    this.kerf = kerf;
    this.token = token;
  }

  async ask<T = Record<string, unknown>>(method: string, path: string, body?: unknown): Promise<Answer<T>> {
    const answer = await fetch(`${this.kerf.announced.internal}/ops${path}`, {
      method,
      headers: { authorization: `Bearer ${this.token}` },
      body: body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body),
    });
    return { status: answer.status, headers: answer.headers, body: (await answer.json()) as T };
  }

  /** Returns an operator with another token. */
  as(token: string): Operator {
    return new Operator(this.kerf, token);
  }

  async letters(query = ''): Promise<Letter[]> {
    return (await this.ask<{ items: Letter[] }>('GET', `/dead-letters${query}`)).body.items;
  }

  async letter(id: string): Promise<Letter> {
    return (await this.ask<Letter>('GET', `/dead-letters/${encodeURIComponent(id)}`)).body;
  }

  /** Runs `kerf {command} {words}`. */
  run(command: string, words: string[], env: Record<string, string> = {}): Promise<Ended> {
    const child = spawn(process.execPath, ['scripts/kerf.mjs', command, ...words], {
      env: { PATH: process.env.PATH, ...this.#env(), ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const said = { stdout: '', stderr: '' };
    for (const stream of ['stdout', 'stderr'] as const) {
      child[stream].on('data', (chunk: Buffer) => {
        said[stream] += chunk.toString();
      });
    }
    return new Promise((resolve) => child.once('close', (code) => resolve({ code, ...said })));
  }

  /** Like `run`, without a process of its own: far cheaper, for a test that runs many commands. */
  runInHost(command: string, words: string[], env: Record<string, string> = {}): Promise<Ended> {
    host ??= new CommandHost();
    return host.run(command, words, { ...this.#env(), ...env });
  }

  #env(): Record<string, string> {
    return { DATA_DIR: this.kerf.dataDir, INTERNAL_PORT: new URL(this.kerf.announced.internal).port };
  }
}
