import { type DatabaseRecord, type DatabaseState, whyNotThis } from '../../src/shared/kernel/database-engine/index.ts';
import { StartError } from '../../src/shared/kernel/errors/index.ts';
import type { Disk } from './disk.ts';
import type { Flaw } from './flaws.ts';
import type { LostData } from './plan.ts';
import type { World } from './world.ts';

const system = 'the system';

/** Simulates whether a module's data matches its record in the data folder. */
export class Identity {
  #commits = 0;
  #lost: LostData['kind'] | undefined;
  private readonly module: string;

  constructor(module: string) {
    this.module = module;
  }

  committed(): void {
    this.#commits += 1;
  }

  /** Loses the data. An older copy is from the beginning of the history; without a commit since then, the copy equals the data. */
  lose(kind: LostData['kind']): void {
    if (kind !== 'older copy' || this.#commits > 0) this.#lost = kind;
  }

  get isLost(): boolean {
    return this.#lost !== undefined;
  }

  /** Restores the data from a copy of the last commit. After a damaged record, accepts the present data, which is complete. */
  recover(): void {
    this.#lost = undefined;
  }

  /** Returns the SQLite adapter's reason against a start, or undefined. */
  whyRefused(flaw: Flaw | undefined): string | undefined {
    const { found, record } = this;
    if (!found && flaw === 'starts empty when its data is missing') return undefined;
    const isTaken = this.#lost === 'older copy' && flaw === 'starts on an older copy of its data';
    const isForgotten = record && 'lost' in record && flaw === 'treats a damaged record as missing';
    return whyNotThis(
      this.module,
      isTaken ? { ...found!, commits: this.#commits } : found,
      isForgotten ? undefined : record,
      system,
    );
  }

  private get found(): DatabaseState | undefined {
    if (this.#lost === 'missing') return undefined;
    const commits = this.#lost === 'older copy' ? 0 : this.#commits;
    return { system, module: this.module, id: this.module, commits };
  }

  private get record(): DatabaseRecord {
    if (this.#lost === 'damaged record') return { lost: 'its record is damaged' };
    return { id: this.module, commits: this.#commits, at: 'the last commit' };
  }
}

/** Throws a `StartError` when the module's data is lost. */
export function refuseLost({ identity }: Disk, { flaw }: World): void {
  const why = identity.whyRefused(flaw);
  if (why !== undefined) throw new StartError(why);
}

/**
 * Crashes the process of a module and loses the module's data. The next start must fail with instructions. The operator follows them, and
 * the process starts again.
 */
export function loseData({ module, kind, afterMs }: LostData, world: World): void {
  const host = world.hostOf(module);
  const { identity } = world.disk(module);
  world.scheduler.after(afterMs, () => {
    identity.lose(kind);
    host.crash(`and the data of ${module} is lost (${kind})`);
  });
  host.onStart = (error) => {
    if (error === undefined) {
      if (identity.isLost) world.fault(`${module} has started although its data was lost (${kind})`);
      return;
    }
    const saysWhatToDo = error instanceof StartError && error.message.includes(`--accept-loss ${module}`);
    if (!identity.isLost || !saysWhatToDo) world.fault(String(error));
    identity.recover();
    host.crash('which refuses to start: its data is recovered');
  };
}
