import { randomUUID } from 'node:crypto';
import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { background } from '../../kernel/context/index.ts';
import { explain } from '../../kernel/database-engine/index.ts';
import { messageOf, NotWritten } from '../../kernel/errors/index.ts';
import type { OpenModule } from '../../kernel/module/index.ts';
import type { Log } from '../../kernel/telemetry/index.ts';

const lookEveryMs = 1_000;
/** Maximum time of a write: after that, the module counts as unable to store data. Longer than a handler may hang. */
const writesWithinMs = 10_000;
/** More bytes than a file can hold by chance when the disk is full. */
const bytes = 256 * 1024;

interface Probe<T> {
  readonly at: number;
  readonly result: Promise<T>;
  ended: boolean;
}

/**
 * Finds out by writing whether the modules here can store data. Writes at most once a second for each module, however often it is
 * asked, and never before the last write has ended. Logs each change and its reason.
 */
export class WriteProbes {
  readonly #seen = new Map<string, Probe<boolean>>();
  /** The reason of the last failure, by module. */
  readonly #failing = new Map<string, string>();
  #folder: Probe<void> | undefined;
  private readonly dataDir: string;
  private readonly log: Log;

  constructor(dataDir: string, log: Log) {
    this.dataDir = dataDir;
    this.log = log;
  }

  /** Resolves with whether the module can store data. With a disk that hangs, it cannot. */
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

  /** Returns why the last write of a module failed, for operators; `undefined` when it succeeded. */
  whyNot(module: string): string | undefined {
    return this.#failing.get(module);
  }

  async #probe({ name, probeWrite }: Pick<OpenModule, 'name' | 'probeWrite'>): Promise<boolean> {
    try {
      await Promise.all([probeWrite(), this.#probeFolder()]);
      if (this.#failing.delete(name)) this.log.warn({ module: name }, 'the data of a module takes writes again');
      return true;
    } catch (error) {
      // Only operators may see the reason of a database: it is the cause of the error that callers receive.
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

/** Whether a probe is recent, or still runs: a write that hangs is not repeated, since it occupies one of the few writer threads. */
function isFresh({ at, ended }: Probe<unknown>): boolean {
  return !ended || performance.now() - at < lookEveryMs;
}

/** Writes a file that disappears afterward, even when the process dies meanwhile. */
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
