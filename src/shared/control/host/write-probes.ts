import { randomUUID } from 'node:crypto';
import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { background } from '../../kernel/context/index.ts';
import { explain } from '../../kernel/database/index.ts';
import { messageOf, NotWritten } from '../../kernel/errors/index.ts';
import type { OpenModule } from '../../kernel/module/index.ts';
import type { Log } from '../../kernel/telemetry/index.ts';

const lookEveryMs = 1_000;
/** How long a write may take: after that, the module counts as one that can keep nothing. Longer than a handler may hang. */
const writesWithinMs = 10_000;
/** More than a file has room for by chance when the disk is full. */
const bytes = 256 * 1024;

interface Probe<T> {
  readonly at: number;
  readonly result: Promise<T>;
  ended: boolean;
}

/**
 * Finds out by writing whether the modules here can keep anything, at most once a second for each, however often it is asked, and not again
 * before the last write has ended. The log says when that changes, and why.
 */
export class WriteProbes {
  readonly #seen = new Map<string, Probe<boolean>>();
  /** Why, by module. */
  readonly #failing = new Map<string, string>();
  #folder: Probe<void> | undefined;
  private readonly dataDir: string;
  private readonly log: Log;

  constructor(dataDir: string, log: Log) {
    this.dataDir = dataDir;
    this.log = log;
  }

  /** Whether the module can keep what it is told. A disk that hangs is a reason that it cannot. */
  takesWrites(module: Pick<OpenModule, 'name' | 'probeWrite'>): Promise<boolean> {
    const { name } = module;
    const seen = this.#seen.get(name);
    if (seen && !seen.ended && performance.now() - seen.at >= writesWithinMs) {
      this.#failed(name, `a write has not ended within ${writesWithinMs / 1_000} s; see whether the disk hangs`);
      return Promise.resolve(false);
    }
    if (seen && isFresh(seen)) return seen.result;
    const probe = probing(background.run(() => this.#probe(module)));
    this.#seen.set(name, probe);
    return probe.result;
  }

  /** Why the last write of a module failed, for operators; `undefined` when it did not. */
  whyNot(module: string): string | undefined {
    return this.#failing.get(module);
  }

  async #probe({ name, probeWrite }: Pick<OpenModule, 'name' | 'probeWrite'>): Promise<boolean> {
    try {
      await Promise.all([probeWrite(), this.#probeFolder()]);
      if (this.#failing.delete(name)) this.log.warn({ module: name }, 'the data of a module takes writes again');
      return true;
    } catch (error) {
      // Of a database, the reason is for operators alone, and so the cause of what callers are told.
      const why =
        error instanceof NotWritten ? messageOf(error.cause) : `${this.dataDir} took no file: ${explain(error)}`;
      this.#failed(name, why);
      return false;
    }
  }

  #failed(module: string, why: string): void {
    if (!this.#failing.has(module)) this.log.error({ module, why }, 'the data of a module takes no writes');
    this.#failing.set(module, why);
  }

  #probeFolder(): Promise<void> {
    if (!this.#folder || !isFresh(this.#folder)) this.#folder = probing(fill(this.dataDir));
    return this.#folder.result;
  }
}

function probing<T>(result: Promise<T>): Probe<T> {
  const probe = { at: performance.now(), result, ended: false };
  const end = () => {
    probe.ended = true;
  };
  result.then(end, end);
  return probe;
}

/** A write that hangs is not repeated: each takes one of the few threads that write. */
function isFresh({ at, ended }: Probe<unknown>): boolean {
  return !ended || performance.now() - at < lookEveryMs;
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
