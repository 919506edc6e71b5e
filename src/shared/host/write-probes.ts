import { randomUUID } from 'node:crypto';
import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { background } from '../context/index.ts';
import { messageOf } from '../errors/index.ts';
import type { OpenModule } from '../module/index.ts';
import type { Log } from '../observability/index.ts';

const lookEveryMs = 1_000;
/** More than a file has room for by chance when the disk is full. */
const bytes = 256 * 1024;

interface Seen {
  readonly at: number;
  readonly writes: Promise<boolean>;
}

/**
 * Finds out by writing whether the modules here can keep anything, at most once a second for each, however often it is asked. The log says
 * when that changes, and why.
 */
export class WriteProbes {
  readonly #seen = new Map<string, Seen>();
  readonly #failing = new Set<string>();
  #folder: { readonly at: number; readonly probed: Promise<void> } | undefined;

  constructor(
    private readonly dataDir: string,
    private readonly log: Log,
  ) {}

  /** Whether the module can keep what it is told. */
  takesWrites(module: Pick<OpenModule, 'name' | 'probeWrite'>): Promise<boolean> {
    const now = performance.now();
    const seen = this.#seen.get(module.name);
    if (seen && now - seen.at < lookEveryMs) return seen.writes;
    const writes = background.run(() => this.#probe(module));
    this.#seen.set(module.name, { at: now, writes });
    return writes;
  }

  async #probe({ name, probeWrite }: Pick<OpenModule, 'name' | 'probeWrite'>): Promise<boolean> {
    try {
      await Promise.all([probeWrite(), this.#probeFolder()]);
      if (this.#failing.delete(name)) this.log.warn({ module: name }, 'the data of a module takes writes again');
      return true;
    } catch (error) {
      const why = messageOf((error as Error).cause ?? error);
      if (!this.#failing.has(name)) this.log.error({ module: name, why }, 'the data of a module takes no writes');
      this.#failing.add(name);
      return false;
    }
  }

  #probeFolder(): Promise<void> {
    const now = performance.now();
    if (!this.#folder || now - this.#folder.at >= lookEveryMs) this.#folder = { at: now, probed: fill(this.dataDir) };
    return this.#folder.probed;
  }
}

/** Writes a file that is gone again, also when the process dies meanwhile. */
async function fill(folder: string): Promise<void> {
  const path = join(folder, `probe-${randomUUID()}`);
  const file = await open(path, 'wx', 0o600);
  try {
    await rm(path);
    await file.writeFile(Buffer.alloc(bytes));
    await file.sync();
  } finally {
    await file.close();
  }
}
