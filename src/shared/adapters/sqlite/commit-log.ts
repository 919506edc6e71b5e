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

/** A database of this process, as its commit log sees it. */
export interface Logged {
  readonly name: string;
  /** Its write-ahead log, which is there once something was committed. */
  readonly wal: string;
  /** How far it is now. */
  written(): State;
  /** What it has committed is on disk. */
  onDisk(): void;
}

/** The machine as the log sees it, for tests: its clock in milliseconds, and how an open file is put on disk. */
export interface CommitLogDependencies {
  readonly sync?: Sync;
  readonly now?: () => number;
  /** How long the log becomes before it begins anew. */
  readonly longestBytes?: number;
}

interface Member {
  /** Of its write-ahead log. */
  descriptor?: number;
  /** Up to where its write-ahead log is on disk, there or in the commit log. Nothing while it stands by itself. */
  claim?: Claim;
}

/**
 * One log for the commits of all databases of a process. SQLite commits to each write-ahead log without an fsync; what was committed
 * since the last time is copied from there into this log, which is synced once for all, on another thread. So many databases cost one
 * fsync, and after a power cut all of them are at the same point in time: `recoverLogs` brings them there.
 *
 * A process with one database needs no copy: its own write-ahead log is synced. Without a folder there is no log either.
 */
export class CommitLog {
  readonly #members = new Map<Logged, Member>();
  readonly #sync: (descriptor: number) => Promise<void>;
  readonly #longestBytes: number;
  readonly #locks;
  #file: CommitLogFile | undefined;
  #syncedAhead = false;
  readonly #epochs: Epochs<Logged>;
  #walFailure: unknown;
  #queue: Promise<unknown> = Promise.resolve();
  private readonly folder?: string;

  /** Recovers what earlier processes have left in `folder`. Throws when that cannot be read or written. */
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

  /** Whether its commits may go without an fsync of their own: they are found in the log after a power cut. */
  covers(database: Logged): boolean {
    const isSingle = this.folder === undefined || (this.#members.size === 1 && !this.#file);
    return isSingle || this.#members.get(database)!.claim !== undefined;
  }

  /** From now on its commits go into the log. Nothing of it may be committed meanwhile. */
  cover(database: Logged): Promise<void> {
    return this.#exclusively(async () => {
      await this.syncAlone(database);
      const claim = claimOf(database);
      await this.#open().append([claim]);
      this.#members.get(database)!.claim = claim;
    });
  }

  /** Its write-ahead log is on disk and stands by itself: other processes write to it, or it is closed. */
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

  /** Puts its own write-ahead log on disk. Rejects always once that has failed: the system reports such an error a single time. */
  async syncAlone(database: Logged): Promise<void> {
    try {
      if (this.#walFailure) throw this.#walFailure;
      await this.#sync(this.#walOf(database));
    } catch (error) {
      this.#walFailure ??= error;
      throw error;
    }
  }

  /** A group of units has begun: what it commits goes to the disk with what others have committed. */
  groupBegan(): void {
    this.#epochs.groupBegan();
  }

  groupEnded(): void {
    this.#epochs.groupEnded();
  }

  /** Resolves when the current sync ends; nothing is committed before. Rejects after a failed sync. */
  get syncing(): Promise<void> | undefined {
    return this.#epochs.syncing;
  }

  /** Resolves when all that was committed so far is on disk; `undefined` when it is. */
  get pending(): Promise<void> | undefined {
    return this.#epochs.pending;
  }

  /** Resolves when all that was committed so far, by any database of this process, is on disk. */
  onDisk(): Promise<void> {
    return this.pending ?? Promise.resolve();
  }

  /** Takes note of a commit; resolves when it is on disk. After a rejection nothing more can be committed. */
  committed(database: Logged): Promise<void> {
    return this.#epochs.committed(database);
  }

  async #write(databases: readonly Logged[]): Promise<void> {
    // Before anything is waited for: the next transactions begin meanwhile.
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

  /** With what was added to its write-ahead log since it was copied last. SQLite may have begun that anew. */
  #nextClaimOf(database: Logged, state: State): Claim {
    const before = this.#members.get(database)!.claim!;
    return { ...state, name: database.name, from: before.salt === state.salt ? before.end : 0 };
  }

  /** Before the log begins anew, every write-ahead log stands by itself; most of that is done while it still grows. */
  async #beginAnewIfLong(): Promise<void> {
    const { length } = this.#file!;
    if (length > this.#longestBytes / 2 && !this.#syncedAhead) {
      this.#syncedAhead = true;
      // What fails here fails again where it is waited for.
      void this.#syncEach(this.#covered()).catch(() => {});
    }
    if (length < this.#longestBytes) return;
    await this.#syncEach(this.#covered());
    this.#syncedAhead = false;
    this.#file!.beginAnew();
    const claims = this.#covered().map((each) => this.#members.get(each)!.claim!);
    await this.#file!.append(claims.map((claim) => ({ ...claim, from: claim.end })));
  }

  /** The log takes nothing, as on a full disk: every write-ahead log stands by itself. */
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
    // SQLite makes it when it writes for the first time, and takes an empty one for none.
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
