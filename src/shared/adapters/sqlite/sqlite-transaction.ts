import { randomInt } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type Sqlite from 'better-sqlite3';
import type { Transaction } from '../../kernel/database/index.ts';
import type { CommitLog, Logged } from './commit-log.ts';
import type { State } from './commit-log-record.ts';
import { frameHeaderBytes, walHeaderBytes } from './sqlite-files.ts';
import { WalIndex, type WalState } from './wal-index.ts';

type Native = InstanceType<typeof Sqlite>;

/** A process that runs the same module writes at least every 10 s, when it renews its lease. */
const aloneAfterMs = 15_000;
const maxFramesToCopy = 4_000;

/**
 * The transactions of one writer, with the disk beside the event loop. SQLite commits without an fsync; the commit log of the process
 * puts on disk what was committed. The reader keeps to what was there before the commit until that is on disk, so that nobody is told
 * of data that a power cut can take back.
 *
 * Other processes read a commit at once. While another one writes to the same file, SQLite itself therefore syncs in each commit
 * (`synchronous=FULL`). So it does at first, until nobody else has written for 15 s.
 */
export class SqliteTransaction implements Transaction, Logged {
  readonly wal: string;
  readonly #begin;
  readonly #savepoint;
  readonly #release;
  readonly #rollbackTo;
  readonly #commit;
  readonly #countCommit;
  readonly #rollback;
  readonly #keepView;
  readonly #releaseView;
  readonly #index: WalIndex;
  #wrote = false;
  /** Units of this group that have run and were not undone. */
  #units = 0;
  readonly #readCount;
  /** The commits that the database has counted, once they were read. */
  #count: number | undefined;
  readonly #pageBytes: number;
  readonly #counterPage: number;
  #full = true;
  /** The number of the last commit that this process knows, its own or another's. */
  #seenChange: number | undefined;
  #sharedUntil: number;
  /** Something that it committed is not on disk yet. */
  #isPending = false;
  /** Tells its commits from those of other processes. */
  readonly #number = randomInt(1, 2 ** 31);
  #transactions = 0;
  #isSigned = false;
  #logIsLong = false;
  /** The checksum of the counter's page, and how far the log was copied into the database when it was read. */
  #sum: { readonly of: string; readonly value: number } | undefined;
  private readonly writer: Native;
  private readonly reader: Native;
  readonly name: string;
  private readonly now: () => number;
  private readonly log: CommitLog;
  /** A page as it is in the database file. */
  private readonly pageOf: (page: number, bytes: number) => Buffer;

  constructor(
    writer: Native,
    reader: Native,
    name: string,
    file: string,
    now: () => number,
    log: CommitLog,
    pageOf: (page: number, bytes: number) => Buffer,
  ) {
    this.writer = writer;
    this.reader = reader;
    this.name = name;
    this.now = now;
    this.log = log;
    this.pageOf = pageOf;
    this.wal = `${file}-wal`;
    // SQLite's own checkpoint would run within a commit, and could not reach past the view that the reader keeps.
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
    this.#countCommit = statement(writer, 'UPDATE kerf_identity SET commits = commits + 1');
    this.#rollback = statement(writer, 'ROLLBACK');
    const [beginView, look] = [statement(reader, 'BEGIN'), reader.prepare('SELECT 1 FROM sqlite_schema LIMIT 1')];
    this.#keepView = () => {
      beginView();
      look.get();
    };
    this.#releaseView = statement(reader, 'COMMIT');
    this.#index = new WalIndex(`${file}-shm`, () => void writer.pragma('wal_checkpoint(NOOP)'));
    this.#readCount = writer.prepare<[], number>('SELECT commits FROM kerf_identity').pluck();
    this.#counterPage = writer
      .prepare<[], number>("SELECT rootpage FROM sqlite_schema WHERE name = 'kerf_identity'")
      .pluck()
      .get()!;
    this.#pageBytes = writer.pragma('page_size', { simple: true }) as number;
    this.#sharedUntil = now() + aloneAfterMs;
    log.join(this);
  }

  /** Numbers the transaction that keeps other processes from writing; `undefined` outside one. */
  get open(): number | undefined {
    return this.writer.inTransaction ? this.#transactions : undefined;
  }

  get logIsLong(): boolean {
    return this.#logIsLong;
  }

  /** To be called when a unit writes. */
  wrote(): void {
    this.#wrote = true;
  }

  /** How many frames the write-ahead log has. */
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
    if (!this.#isPending && this.logIsLong) {
      await this.log.syncAlone(this);
      this.writer.pragma('wal_checkpoint(PASSIVE)');
      this.#lookAt(this.#index.read());
    }
    await this.#setFull(this.now() < this.#sharedUntil);
    this.#begin();
    if (this.#othersWrote() && !this.#full) {
      this.#rollback();
      await this.#setFull(true);
      this.#begin();
    }
    this.#wrote = false;
    this.#units = 0;
  }

  /** The first unit needs no savepoint: to undo it is to begin again. */
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
      if (this.#othersWrote() && !this.#full) throw new Error(`another process has begun to write to "${this.name}"`);
    }
  }

  get busy(): Promise<void> | undefined {
    return this.#full ? undefined : this.log.syncing;
  }

  get restsOn(): Promise<void> | undefined {
    return this.#full || !this.log.covers(this) ? this.log.pending : undefined;
  }

  commit(): void {
    try {
      // Units that wrote nothing need no disk.
      if (this.#wrote) this.#sign();
      if (this.#wrote && !this.#full && !this.reader.inTransaction) this.#keepView();
      this.#commit();
    } catch (error) {
      this.#isSigned = false;
      if (this.reader.inTransaction && !this.#isPending) this.#releaseView();
      throw error;
    }
    if (this.reader.inTransaction) this.#isPending = true;
    if (this.#wrote && this.#count !== undefined) this.#count += 1;
    // Not read from the index: another process may have committed meanwhile.
    if (this.#wrote) this.#seenChange = (this.#seenChange! + 1) >>> 0;
  }

  /** Counts the commit, and names this process when the last commit was another one's. */
  #sign(): void {
    if (!this.#isSigned) this.writer.pragma(`user_version = ${this.#number}`);
    this.#isSigned = true;
    this.#countCommit();
  }

  sync(): Promise<void> {
    return this.#isPending ? this.log.committed(this) : this.log.onDisk();
  }

  written(): State {
    const index = this.#lookAt(this.#index.read());
    const pageBytes = this.#pageBytes;
    this.#count ??= this.#readCount.get()!;
    return {
      salt: index.salt,
      // The header of a log that begins anew is written with its first frame.
      end: index.frames === 0 ? 0 : walHeaderBytes + index.frames * (frameHeaderBytes + pageBytes),
      commits: this.#count,
      writer: this.#number,
      page: this.#counterPage,
      pageBytes,
      sum: this.#sumOfPage(index),
    };
  }

  /** The page changes when the log is copied into the database alone. */
  #sumOfPage({ salt, copied }: WalState): number {
    const of = `${salt} ${copied}`;
    if (this.#sum?.of !== of) this.#sum = { of, value: crc32(this.pageOf(this.#counterPage, this.#pageBytes)) };
    return this.#sum.value;
  }

  onDisk(): void {
    this.#isPending = false;
    // An error of the disk may have ended it.
    if (this.reader.inTransaction) this.#releaseView();
  }

  rollback(): void {
    this.#rollback();
  }

  close(): Promise<void> {
    return this.log.leave(this);
  }

  /** To be called when SQLite has closed the database. */
  closed(): void {
    this.#index.close();
  }

  #lookAt(index: WalState): WalState {
    this.#logIsLong = index.frames - index.copied >= maxFramesToCopy;
    return index;
  }

  /** To be called while this process holds the write lock. */
  #othersWrote(): boolean {
    const { change } = this.#lookAt(this.#index.read());
    if (change === this.#seenChange) return false;
    this.#count = undefined;
    this.#isSigned = false;
    this.#seenChange = change;
    this.#sharedUntil = this.now() + aloneAfterMs;
    return true;
  }

  /** Outside a transaction only. */
  async #setFull(full: boolean): Promise<void> {
    const isFull = full || !(await this.#isCovered());
    if (isFull) await this.log.release(this);
    if (isFull === this.#full) return;
    this.#full = isFull;
    this.writer.pragma(`synchronous = ${isFull ? 'FULL' : 'NORMAL'}`);
  }

  /** Without the log, as on a full disk, SQLite syncs by itself for a while. */
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
