import { rmSync } from 'node:fs';
import { expect, onTestFinished } from 'vitest';
import { eventually, Kerf, type ModuleName, newDataDir, type StartOptions } from '../harness/kerf.ts';
import { audit } from './ledger.ts';
import type { OrderAnswers } from './rush.ts';

/** One data folder and its successive processes. The end of the test always cleans them up. */
export class Scene {
  readonly dataDir = newDataDir();
  readonly #started: Kerf[] = [];
  private readonly env: Record<string, string>;

  constructor(env: Record<string, string> = {}) {
    this.env = env;
    onTestFinished(async () => {
      await Promise.all(this.#started.map((kerf) => kerf.kill()));
      rmSync(this.dataDir, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
    });
  }

  async start({ env, words }: StartOptions = {}): Promise<Kerf> {
    const kerf = await Kerf.start({ env: { ...this.env, ...env }, words, dataDir: this.dataDir });
    this.#started.push(kerf);
    return kerf;
  }

  /** Waits until nothing is in flight, and all books agree with one another and with the answers to members. */
  async settles(orderAnswers?: OrderAnswers): Promise<void> {
    let found: string[] = [];
    const agree = async () => {
      found = audit(this.dataDir, orderAnswers);
      return found.length === 0;
    };
    await eventually(agree, 'consistent books').catch(() => expect(found).toEqual([]));
  }

  /** Waits for `settles`, stops the system cleanly, and checks the data on disk again. */
  async endsWell(kerf: Kerf, orderAnswers?: OrderAnswers): Promise<void> {
    await this.settles(orderAnswers);
    expect(await kerf.stop()).toBe(0);
    expect(audit(this.dataDir, orderAnswers)).toEqual([]);
  }
}

/** Sends SIGKILL to the process of an extracted module, if it has one now. */
export async function killModule(kerf: Kerf, module: ModuleName): Promise<void> {
  const pid = await kerf.pidOf(module);
  if (pid && lives(pid)) process.kill(pid, 'SIGKILL');
}

/** Returns whether a process with this id exists. */
export function lives(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
