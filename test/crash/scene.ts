import { rmSync } from 'node:fs';
import { expect, onTestFinished } from 'vitest';
import { eventually, Kerf, type ModuleName, newDataDir, type StartOptions } from '../harness/kerf.ts';
import { audit } from './ledger.ts';
import type { Told } from './rush.ts';

/** One data folder and the processes that come and go over it; cleaned up when the test ends, however it ends. */
export class Scene {
  readonly dataDir = newDataDir();
  readonly #started: Kerf[] = [];
  private readonly env: Record<string, string>;

  constructor(env: Record<string, string> = {}) {
    this.env = env;
    onTestFinished(async () => {
      await Promise.all(this.#started.map((kerf) => kerf.kill()));
      rmSync(this.dataDir, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
    }, 30_000);
  }

  async start({ env, words }: StartOptions = {}): Promise<Kerf> {
    const kerf = await Kerf.start({ env: { ...this.env, ...env }, words, dataDir: this.dataDir });
    this.#started.push(kerf);
    return kerf;
  }

  /** Waits until nothing is in flight and all books agree with one another and with what members were told. */
  async settles(told?: Told, withinMs = 20_000): Promise<void> {
    let found: string[] = [];
    const agree = async () => {
      found = audit(this.dataDir, told);
      return found.length === 0;
    };
    await eventually(agree, 'that the books agree', withinMs).catch(() => expect(found).toEqual([]));
  }

  /** Lets it settle, stops it in order, and looks again at what is left on disk. */
  async endsWell(kerf: Kerf, told?: Told): Promise<void> {
    await this.settles(told);
    expect(await kerf.stop()).toBe(0);
    expect(audit(this.dataDir, told)).toEqual([]);
  }
}

/** SIGKILL to the process of a module that is out, when it has one just now. */
export async function killModule(kerf: Kerf, module: ModuleName): Promise<void> {
  const pid = await kerf.pidOf(module);
  if (pid && lives(pid)) process.kill(pid, 'SIGKILL');
}

/** Whether a process with this id is there. */
export function lives(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
