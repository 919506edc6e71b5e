import { closeSync, fdatasync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { CommitLogFile, LogNotWritten } from './commit-log-file.ts';
import type { Claim, State } from './commit-log-record.ts';
import { recoverLogs } from './commit-log-recovery.ts';
import { Epochs } from './epochs.ts';
import { fileLocks } from './process-locks.ts';

/** Puts the data of an open file on disk, as `fs.fdatasync` does. */
export type Sync = (descriptor: number, done: (error: Error | null) => void) => void;

/** A database of this process, as the commit log uses it. */
export interface Logged {
  readonly name: string;
  /** Path of its write-ahead log. The file exists after the first commit. */
  readonly wal: string;
  /** Returns its current state. */
  written(): State;
  /** Called when its commits are on disk. */
  onDisk(): void;
}

/** Dependencies that tests replace: the clock in milliseconds, and the sync of an open file. */
export interface CommitLogDependencies {
  readonly sync?: Sync;
  readonly now?: () => number;
  /** Length at which the log restarts. */
  readonly longestBytes?: number;
}

interface Member {
  /** Descriptor of its write-ahead log. */
  descriptor?: number;
  /** The part of its write-ahead log that is on disk, there or in the commit log. Undefined while it does not use the commit log. */
  claim?: Claim;
}

/**
 * One log for the commits of all databases of a process. SQLite commits to each write-ahead log without an fsync. This log copies
 * the new commits from there, and syncs them once for all databases, on another thread. So many databases cost one fsync. After a
 * power cut, `recoverLogs` brings all of them to the same point in time.
 *
 * A process with one database needs no copy: it syncs its own write-ahead log. Without a folder there is no commit log either.
 */
export class CommitLog {
  readonly #members = new Map<Logged, Member>();
  readonly #sync: (descriptor: number) => Promise<void>;
  readonly #longestBytes: number;
  readonly #locks;
  #file: CommitLogFile | undefined;
  #syncedAhead = false;
  readonly #epochs: Epochs<Logged>;
  #failure: unknown;
  #queue: Promise<unknown> = Promise.resolve();
  private readonly folder?: string;

  /** Recovers the logs of earlier processes in `folder`. Throws when it cannot read or write them. */
  constructor(
    folder?: string,
    { sync = fdatasync, now = () => performance.now(), longestBytes = 32 * 1024 * 1024 }: CommitLogDependencies = {},
  ) {
    this.folder = folder;
    this.#sync = promisify(sync);
    this.#epochs = new Epochs((databases) => this.#write(databases), now);
    this.#longestBytes = longestBytes;
    if (folder === undefined) return;
    this.#locks = fileLocks(join(folder, 'locks'));
    recoverLogs(folder, this.#locks);
  }

  join(database: Logged): void {
    this.#members.set(database, {});
  }

  async leave(database: Logged): Promise<void> {
    if (!this.#members.has(database)) return;
    await this.release(database);
    const { descriptor } = this.#members.get(database)!;
    if (descriptor !== undefined) closeSync(descriptor);
    this.#members.delete(database);
    if (this.#members.size > 0) return;
    this.#file?.remove();
    this.#file = undefined;
  }

  /** Tells whether its commits need no fsync of their own, because the log contains them after a power cut. */
  covers(database: Logged): boolean {
    const isSingle = this.folder === undefined || (this.#members.size === 1 && !this.#file);
    return isSingle || this.#members.get(database)!.claim !== undefined;
  }

  /** Begins to copy its commits into the log. The database must not commit until this resolves. */
  cover(database: Logged): Promise<void> {
    return this.#exclusively(async () => {
      await this.syncAlone(database);
      const claim = claimOf(database);
      await this.#open().append([claim]);
      this.#members.get(database)!.claim = claim;
    });
  }

  /** Syncs its write-ahead log and stops copying its commits. Used when other processes write to the database, or before its close. */
  release(database: Logged): Promise<void> {
    const member = this.#members.get(database)!;
    if (!member.claim) return Promise.resolve();
    return this.#exclusively(async () => {
      const { claim } = member;
      if (!claim) return;
      await this.syncAlone(database);
      await this.#open().append([{ ...claim, from: claim.end, released: true }]);
      member.claim = undefined;
    });
  }

  /** Puts its own write-ahead log on disk. After one failure, always rejects: the operating system reports such an error only once. */
  syncAlone(database: Logged): Promise<void> {
    return this.#syncFile(() => this.#walOf(database));
  }

  /** Puts a database file on disk. After one failure, always rejects. */
  syncDatabase(descriptor: number): Promise<void> {
    return this.#syncFile(() => descriptor);
  }

  async #syncFile(descriptor: () => number): Promise<void> {
    try {
      if (this.#failure) throw this.#failure;
      await this.#sync(descriptor());
    } catch (error) {
      this.#failure ??= error;
      throw error;
    }
  }

  /** Reports that a group of units has begun. Its commits go to the disk together with other commits. */
  groupBegan(): void {
    this.#epochs.groupBegan();
  }

  groupEnded(): void {
    this.#epochs.groupEnded();
  }

  /** Resolves when the current sync ends. No database commits before. Rejects after a failed sync. */
  get syncing(): Promise<void> | undefined {
    return this.#epochs.syncing;
  }

  /** Whether commits of any database of this process are not on disk yet. */
  get isPending(): boolean {
    return this.#epochs.isPending;
  }

  /** Resolves when all commits so far, of any database of this process, are on disk. */
  onDisk(): Promise<void> {
    return this.#epochs.onDisk();
  }

  /**
   * Records a commit. Resolves when it is on disk: soon, if it is urgent, otherwise with the next one that is, or after 3 ms. After a
   * rejection, no further commit is possible.
   */
  committed(database: Logged, isUrgent: boolean): Promise<void> {
    return this.#epochs.committed(database, isUrgent);
  }

  async #write(databases: readonly Logged[]): Promise<void> {
    // Reads the states before the first await, because the next transactions begin meanwhile.
    const states = new Map(databases.map((each) => [each, each.written()]));
    await this.#exclusively(() => this.#put(states));
    for (const each of databases) each.onDisk();
  }

  async #put(states: ReadonlyMap<Logged, State>): Promise<void> {
    const databases = [...states.keys()];
    const covered = databases.filter((each) => this.#members.get(each)!.claim);
    await this.#syncEach(databases.filter((each) => !covered.includes(each)));
    if (covered.length === 0) return;
    try {
      await this.#beginAnewIfLong();
      await this.#copy(covered, states);
    } catch (error) {
      if (!(error instanceof LogNotWritten)) throw error;
      await this.#doWithout();
    }
  }

  async #copy(databases: readonly Logged[], states: ReadonlyMap<Logged, State>): Promise<void> {
    const claims = databases.map((each) => this.#nextClaimOf(each, states.get(each)!));
    await this.#file!.append(claims, (index, target) => {
      const { wal } = databases[index]!;
      const bytes = readSync(this.#walOf(databases[index]!), target, 0, target.length, claims[index]!.from);
      if (bytes < target.length) throw new Error(`${wal} is shorter than SQLite says`);
    });
    for (const [index, each] of databases.entries()) this.#members.get(each)!.claim = claims[index]!;
  }

  /** Returns a claim for the part of its write-ahead log since the last copy. SQLite may have restarted that log. */
  #nextClaimOf(database: Logged, state: State): Claim {
    const before = this.#members.get(database)!.claim!;
    return { ...state, name: database.name, from: before.salt === state.salt ? before.end : 0 };
  }

  /** Restarts the log when it is long. Syncs every write-ahead log first, and most of them already while the log still grows. */
  async #beginAnewIfLong(): Promise<void> {
    const { length } = this.#file!;
    if (length > this.#longestBytes / 2 && !this.#syncedAhead) {
      this.#syncedAhead = true;
      // A failure here repeats in a later sync that is awaited.
      void this.#syncEach(this.#covered()).catch(() => {});
    }
    if (length < this.#longestBytes) return;
    await this.#syncEach(this.#covered());
    this.#syncedAhead = false;
    this.#file!.beginAnew();
    const claims = this.#covered().map((each) => this.#members.get(each)!.claim!);
    await this.#file!.append(claims.map((claim) => ({ ...claim, from: claim.end })));
  }

  /** Syncs every write-ahead log and stops using the commit log, because it cannot be written, as on a full disk. */
  async #doWithout(): Promise<void> {
    const covered = this.#covered();
    await this.#syncEach(covered);
    await this.#file!.empty();
    for (const each of covered) this.#members.get(each)!.claim = undefined;
  }

  #covered(): Logged[] {
    return [...this.#members].flatMap(([each, { claim }]) => (claim ? [each] : []));
  }

  async #syncEach(databases: readonly Logged[]): Promise<void> {
    await Promise.all(databases.map((each) => this.syncAlone(each)));
  }

  #walOf(database: Logged): number {
    const member = this.#members.get(database)!;
    // SQLite creates the file at its first write, and treats an empty file like a missing one.
    member.descriptor ??= openSync(database.wal, 'a+', 0o600);
    return member.descriptor;
  }

  #open(): CommitLogFile {
    this.#file ??= new CommitLogFile(this.folder!, this.#locks!, this.#sync);
    return this.#file;
  }

  /** Runs tasks one after the other. */
  #exclusively<T>(task: () => Promise<T>): Promise<T> {
    const done = this.#queue.then(task);
    this.#queue = done.catch(() => {});
    return done;
  }
}

function claimOf(database: Logged): Claim {
  const state = database.written();
  return { ...state, name: database.name, from: state.end };
}
