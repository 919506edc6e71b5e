import type Sqlite from 'better-sqlite3';
import type { CommitLog, Logged } from './commit-log.ts';
import type { WalState } from './wal-index.ts';

/** The file of an open database. Its descriptor closes after SQLite's own: an earlier close would end SQLite's locks. */
export interface OpenDatabase {
  readonly file: string;
  readonly descriptor: number;
  page(page: number, bytes: number): Buffer;
}

/**
 * Copies the write-ahead log of a database into the database. SQLite's own checkpoint stops the event loop while the disk syncs the
 * database, which takes ten times as long as the copy. Here, that sync runs beside the event loop.
 */
export class Checkpoint {
  /** Whether the log was copied into the database, and the database is not on disk yet. */
  #isUnsynced = false;
  /** The copied log whose database is on disk. */
  #syncedLog: string | undefined;
  #failure: unknown;
  private readonly writer: InstanceType<typeof Sqlite>;
  private readonly database: OpenDatabase;
  private readonly log: CommitLog;

  constructor(writer: InstanceType<typeof Sqlite>, database: OpenDatabase, log: CommitLog) {
    this.writer = writer;
    this.database = database;
    this.log = log;
  }

  /** Copies the log as far as readers allow. `isFull` tells that SQLite syncs in each commit, and so here, too. */
  async copy(logged: Logged, isFull: boolean): Promise<void> {
    await this.log.syncAlone(logged);
    if (isFull) return void this.writer.pragma('wal_checkpoint(PASSIVE)');
    this.writer.pragma('synchronous = OFF');
    try {
      this.#isUnsynced = true;
      this.writer.pragma('wal_checkpoint(PASSIVE)');
    } finally {
      this.writer.pragma('synchronous = NORMAL');
    }
  }

  /**
   * Puts the database on disk after a copy, and before this process overwrites a copied log: the process that copied it may have died
   * before its own sync. Call it in each transaction before a write: the next transaction of any process may overwrite the log. After a
   * failure, always rejects, because the content of the disk is unknown.
   */
  async sync({ frames, copied, salt }: WalState): Promise<void> {
    if (this.#failure) throw this.#failure;
    const copiedLog = frames > 0 && copied === frames ? `${salt} ${frames}` : undefined;
    if (!this.#isUnsynced && (copiedLog === undefined || copiedLog === this.#syncedLog)) return;
    try {
      await this.log.syncDatabase(this.database.descriptor);
      this.#isUnsynced = false;
      this.#syncedLog = copiedLog;
    } catch (error) {
      this.#failure = error;
      throw error;
    }
  }

  /** Syncs what was copied. Call it before SQLite closes the database and removes the log. */
  async close(): Promise<void> {
    if (this.#isUnsynced) await this.log.syncDatabase(this.database.descriptor);
  }
}
