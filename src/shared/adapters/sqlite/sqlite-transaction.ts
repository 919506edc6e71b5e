import type Sqlite from 'better-sqlite3';
import type { Transaction } from '../../kernel/database-engine/index.ts';
import { Checkpoint, type OpenDatabase } from './checkpoint.ts';
import { CommitCounter } from './commit-counter.ts';
import type { CommitLog, Logged } from './commit-log.ts';
import type { State } from './commit-log-record.ts';
import { WalIndex, type WalState } from './wal-index.ts';

type Native = InstanceType<typeof Sqlite>;

/** A process that runs the same module writes at least every 10 s, when it renews its lease. */
const aloneAfterMs = 15_000;
const maxFramesToCopy = 4_000;

/**
 * Runs the transactions of one writer without blocking the event loop for the disk. SQLite commits without an fsync; the commit log
 * of the process puts the commits on disk. Until then, the reader keeps its snapshot from before the commit. So no reader in this
 * process sees data that a power cut can undo.
 *
 * Other processes read a commit at once. Therefore SQLite itself syncs each commit (`synchronous=FULL`) while another process writes
 * to the same file. It also does so at first, until no other process has written for 15 s.
 */
export class SqliteTransaction implements Transaction, Logged {
  readonly wal: string;
  readonly #begin;
  readonly #savepoint;
  readonly #release;
  readonly #rollbackTo;
  readonly #commit;
  readonly #rollback;
  readonly #keepView;
  readonly #releaseView;
  readonly #index: WalIndex;
  #wrote = false;
  /** Units of this group that have run and were not undone. */
  #units = 0;
  readonly #counter: CommitCounter;
  #full = true;
  /** Number of the last commit that this process has seen, its own or another process's. */
  #seenChange: number | undefined;
  #sharedUntil: number;
  /** Whether a commit is not on disk yet. */
  #isPending = false;
  #transactions = 0;
  #logIsLong = false;
  readonly #checkpoint: Checkpoint;
  private readonly writer: Native;
  private readonly reader: Native;
  readonly name: string;
  private readonly now: () => number;
  private readonly log: CommitLog;

  constructor(writer: Native, reader: Native, name: string, database: OpenDatabase, now: () => number, log: CommitLog) {
    this.writer = writer;
    this.reader = reader;
    this.name = name;
    this.now = now;
    this.log = log;
    this.wal = `${database.file}-wal`;
    // SQLite's own checkpoint would run within a commit, and could not pass the snapshot that the reader holds.
    writer.pragma('wal_autocheckpoint = 0');
    const begin = statement(writer, 'BEGIN IMMEDIATE');
    this.#begin = () => {
      begin();
      this.#transactions += 1;
    };
    this.#savepoint = statement(writer, 'SAVEPOINT unit');
    this.#release = statement(writer, 'RELEASE unit');
    this.#rollbackTo = statement(writer, 'ROLLBACK TO unit');
    this.#commit = statement(writer, 'COMMIT');
    this.#rollback = statement(writer, 'ROLLBACK');
    const [beginView, look] = [statement(reader, 'BEGIN'), reader.prepare('SELECT 1 FROM sqlite_schema LIMIT 1')];
    this.#keepView = () => {
      beginView();
      look.get();
    };
    this.#releaseView = statement(reader, 'COMMIT');
    this.#index = new WalIndex(`${database.file}-shm`, () => void writer.pragma('wal_checkpoint(NOOP)'));
    this.#counter = new CommitCounter(writer, database);
    this.#checkpoint = new Checkpoint(writer, database, log);
    this.#sharedUntil = now() + aloneAfterMs;
    log.join(this);
  }

  /** Number of the open transaction, which keeps other processes from writing. `undefined` outside a transaction. */
  get open(): number | undefined {
    return this.writer.inTransaction ? this.#transactions : undefined;
  }

  get logIsLong(): boolean {
    return this.#logIsLong;
  }

  /** Call it when a unit writes. */
  wrote(): void {
    this.#wrote = true;
  }

  /** Number of frames in the write-ahead log. */
  get frames(): number {
    return this.#index.read().frames;
  }

  begun(): void {
    this.log.groupBegan();
  }

  ended(): void {
    this.log.groupEnded();
  }

  async begin(): Promise<void> {
    await this.#setFull(this.now() < this.#sharedUntil);
    if (this.#logIsLong && !this.#isPending) await this.#checkpoint.copy(this, this.#full);
    this.#begin();
    const index = this.#index.read();
    await this.#checkpoint.sync(index);
    if (this.#othersWrote(index) && !this.#full) {
      this.#rollback();
      await this.#setFull(true);
      this.#begin();
      await this.#checkpoint.sync(this.#index.read());
    }
    this.#wrote = false;
    this.#units = 0;
  }

  /** Sets a savepoint. The first unit needs none: its undo restarts the transaction. */
  save(): void {
    if (this.#units > 0) this.#savepoint();
  }

  release(): void {
    if (this.#units > 0) this.#release();
    this.#units += 1;
  }

  undo(): void {
    if (this.#units > 0) {
      this.#rollbackTo();
      this.#release();
    } else {
      this.#rollback();
      this.#begin();
      if (this.#othersWrote(this.#index.read()) && !this.#full)
        throw new Error(`another process has begun to write to "${this.name}"`);
    }
  }

  get busy(): Promise<void> | undefined {
    return this.#full ? undefined : this.log.syncing;
  }

  get restsOn(): Promise<void> | undefined {
    return this.log.isPending && (this.#full || !this.log.covers(this)) ? this.log.onDisk() : undefined;
  }

  commit(): void {
    try {
      // Units without writes need no sync.
      if (this.#wrote) this.#counter.count();
      if (this.#wrote && !this.#full && !this.reader.inTransaction) this.#keepView();
      this.#commit();
    } catch (error) {
      this.#counter.undo();
      if (this.reader.inTransaction && !this.#isPending) this.#releaseView();
      throw error;
    }
    if (this.reader.inTransaction) this.#isPending = true;
    if (this.#wrote) this.#counter.committed();
    // Computes the number instead of reading the index, because another process may have committed meanwhile.
    if (this.#wrote) this.#seenChange = (this.#seenChange! + 1) >>> 0;
  }

  sync(isUrgent: boolean): Promise<void> {
    return this.#isPending ? this.log.committed(this, isUrgent) : this.log.onDisk();
  }

  written(): State {
    return this.#counter.stateAt(this.#lookAt(this.#index.read()));
  }

  onDisk(): void {
    this.#isPending = false;
    // A disk error may have ended the reader's transaction.
    if (this.reader.inTransaction) this.#releaseView();
  }

  rollback(): void {
    this.#rollback();
  }

  async close(): Promise<void> {
    await this.#checkpoint.close();
    await this.log.leave(this);
  }

  /** Closes the index. Call it after SQLite has closed the database. */
  closed(): void {
    this.#index.close();
  }

  #lookAt(index: WalState): WalState {
    this.#logIsLong = index.frames - index.copied >= maxFramesToCopy;
    return index;
  }

  /** Tells whether another process has committed. Call it while this process holds the write lock. */
  #othersWrote(index: WalState): boolean {
    const { change } = this.#lookAt(index);
    if (change === this.#seenChange) return false;
    this.#counter.othersCommitted();
    this.#seenChange = change;
    this.#sharedUntil = this.now() + aloneAfterMs;
    return true;
  }

  /** Sets the sync mode. Call it outside a transaction only. */
  async #setFull(full: boolean): Promise<void> {
    const isFull = full || !(await this.#isCovered());
    if (isFull) await this.log.release(this);
    if (isFull === this.#full) return;
    this.#full = isFull;
    this.writer.pragma(`synchronous = ${isFull ? 'FULL' : 'NORMAL'}`);
  }

  /** Tells whether the commit log covers the commits. When it fails, as on a full disk, SQLite itself syncs for a while. */
  async #isCovered(): Promise<boolean> {
    try {
      if (!this.log.covers(this)) await this.log.cover(this);
      return true;
    } catch {
      this.#sharedUntil = this.now() + aloneAfterMs;
      return false;
    }
  }
}

function statement(native: Native, source: string): () => void {
  const compiled = native.prepare(source);
  return () => void compiled.run();
}
