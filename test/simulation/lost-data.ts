import { type DatabaseRecord, type DatabaseState, whyNotThis } from '../../src/shared/kernel/database/index.ts';
import { StartError } from '../../src/shared/kernel/errors/index.ts';
import type { Disk } from './disk.ts';
import type { Flaw } from './flaws.ts';
import type { LostData } from './plan.ts';
import type { World } from './world.ts';

const system = 'the system';

/** Whether a module's data is what the data folder knows of it. */
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

  /** The older copy is from the beginning of the history; without a commit since then, it is the same data. */
  lose(kind: LostData['kind']): void {
    if (kind !== 'older copy' || this.#commits > 0) this.#lost = kind;
  }

  get isLost(): boolean {
    return this.#lost !== undefined;
  }

  /** The data is restored from a copy of the last commit; of a damaged record, whatever is there is accepted, which is all of it. */
  recover(): void {
    this.#lost = undefined;
  }

  /** What the SQLite adapter says of it when its process starts. */
  whyRefused(flaw: Flaw | undefined): string | undefined {
    const { found, record } = this;
    if (!found && flaw === 'starts empty when its data is missing') return undefined;
    const isTaken = this.#lost === 'older copy' && flaw === 'starts on an older copy of its data';
    const isForgotten = record && 'lost' in record && flaw === 'takes a damaged record for none';
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

/** Throws the `StartError` of a module whose data is lost. */
export function refuseLost({ identity }: Disk, { flaw }: World): void {
  const why = identity.whyRefused(flaw);
  if (why !== undefined) throw new StartError(why);
}

/**
 * The process of a module ends, and meanwhile its data is lost. It must not start, and say what to do; then somebody does that, and it
 * goes on.
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
