import { background } from '../../kernel/context/index.ts';

/** Commits that go to the disk together. */
interface Epoch {
  readonly since: number;
  /** Whether something waits for its sync. */
  isUrgent: boolean;
  readonly ended: Promise<void>;
  resolve(): void;
  reject(error: unknown): void;
}

const formsWithinMs = 3;

/**
 * Groups commits into epochs. The commits of one epoch go to the disk together. An epoch ends when something waits for it, the disk is
 * free and no group of units is in flight. It ends after 3 ms in any case.
 */
export class Epochs<Database> {
  /** Databases with commits whose sync has not begun. */
  readonly #dirty = new Set<Database>();
  #forming: Epoch | undefined;
  #syncing: Promise<void> | undefined;
  #groups = 0;
  #timer: NodeJS.Timeout | undefined;
  private readonly write: (databases: readonly Database[]) => Promise<void>;
  private readonly now: () => number;

  /** `write` puts all commits of these databases up to its call on disk. After a failure, `Epochs` writes nothing more. */
  constructor(write: (databases: readonly Database[]) => Promise<void>, now: () => number) {
    this.write = write;
    this.now = now;
  }

  groupBegan(): void {
    this.#groups += 1;
  }

  groupEnded(): void {
    this.#groups -= 1;
  }

  /** Resolves when the current sync ends. No database commits before. Rejects after a failed sync. */
  get syncing(): Promise<void> | undefined {
    return this.#syncing;
  }

  /** Whether commits are not on disk yet. */
  get isPending(): boolean {
    return (this.#forming ?? this.#syncing) !== undefined;
  }

  /** Resolves when all commits so far are on disk. */
  onDisk(): Promise<void> {
    if (this.#forming) this.#hurry(this.#forming);
    return this.#forming?.ended ?? this.#syncing ?? Promise.resolve();
  }

  /** Records a commit. Resolves when it is on disk. After a rejection, no further commit is possible. */
  committed(database: Database, isUrgent: boolean): Promise<void> {
    this.#dirty.add(database);
    this.#forming ??= this.#begin();
    if (isUrgent) this.#hurry(this.#forming);
    return this.#forming.ended;
  }

  #begin(): Epoch {
    const epoch = newEpoch(this.now());
    this.#timer = background.setTimeout(() => this.#hurry(epoch), formsWithinMs);
    return epoch;
  }

  #hurry(epoch: Epoch): void {
    if (epoch.isUrgent) return;
    epoch.isUrgent = true;
    clearTimeout(this.#timer);
    background.setImmediate(() => this.#form(epoch));
  }

  #form(epoch: Epoch): void {
    const again = () => void background.setImmediate(() => this.#form(epoch));
    if (this.#syncing) this.#syncing.then(again, epoch.reject);
    else if (this.#groups > 0 && this.now() - epoch.since < formsWithinMs) again();
    else this.#end(epoch);
  }

  #end(epoch: Epoch): void {
    const databases = [...this.#dirty];
    this.#dirty.clear();
    this.#forming = undefined;
    this.#syncing = epoch.ended;
    const written = new Promise<void>((resolve) => resolve(this.write(databases)));
    written.then(() => {
      this.#syncing = undefined;
      epoch.resolve();
    }, epoch.reject);
  }
}

function newEpoch(since: number): Epoch {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  promise.catch(() => {});
  return { since, isUrgent: false, ended: promise, resolve, reject };
}
