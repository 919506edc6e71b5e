import { closeSync, fdatasync, openSync } from 'node:fs';
import type Sqlite from 'better-sqlite3';
import type { Transaction } from './group-commit.ts';

type Native = InstanceType<typeof Sqlite>;

/** Puts the data of an open file on disk, as `fs.fdatasync` does. */
export type Sync = (descriptor: number, done: (error: Error | null) => void) => void;

/** A process that runs the same module writes at least every 10 s, when it renews its lease. */
const aloneAfterMs = 15_000;
const maxFramesToCopy = 4_000;

/**
 * The transactions of one writer, with the disk beside the event loop. SQLite commits without an fsync; the write-ahead log is synced
 * by `sync` on another thread. The reader keeps to what was there before the commit until that is on disk, so that nobody is told
 * of data that a power cut can take back.
 *
 * Other processes read a commit at once. While another one writes to the same file, SQLite itself therefore syncs in each commit
 * (`synchronous=FULL`). So it does at first, until nobody else has written for 15 s.
 */
export class SqliteTransaction implements Transaction {
  readonly save;
  readonly release;
  readonly #begin;
  readonly #undo;
  readonly #commit;
  readonly #countCommit;
  readonly #rollback;
  readonly #keepView;
  readonly #releaseView;
  readonly #version;
  readonly #changes;
  readonly #frames;
  #log: number | undefined;
  #full = true;
  #seenVersion: unknown;
  #changesBefore: unknown;
  #sharedUntil: number;

  constructor(
    private readonly writer: Native,
    private readonly reader: Native,
    private readonly file: string,
    private readonly now: () => number,
    private readonly syncFile: Sync = fdatasync,
  ) {
    // SQLite's own checkpoint would run within a commit, and could not reach past the view that the reader keeps.
    writer.pragma('wal_autocheckpoint = 0');
    this.#begin = statement(writer, 'BEGIN IMMEDIATE');
    this.save = statement(writer, 'SAVEPOINT unit');
    this.release = statement(writer, 'RELEASE unit');
    this.#undo = statement(writer, 'ROLLBACK TO unit');
    this.#commit = statement(writer, 'COMMIT');
    this.#countCommit = statement(writer, 'UPDATE kerf_identity SET commits = commits + 1');
    this.#rollback = statement(writer, 'ROLLBACK');
    const [beginView, look] = [statement(reader, 'BEGIN'), reader.prepare('SELECT 1 FROM sqlite_schema LIMIT 1')];
    this.#keepView = () => {
      beginView();
      look.get();
    };
    this.#releaseView = statement(reader, 'COMMIT');
    this.#version = writer.prepare('PRAGMA data_version').pluck();
    this.#changes = writer.prepare('SELECT total_changes()').pluck();
    this.#frames = writer.prepare<[], { log: number; checkpointed: number }>('PRAGMA wal_checkpoint(NOOP)');
    this.#sharedUntil = now() + aloneAfterMs;
  }

  get logIsLong(): boolean {
    const { log, checkpointed } = this.#frames.get()!;
    return log - checkpointed >= maxFramesToCopy;
  }

  begin(): void {
    if (!this.reader.inTransaction && this.logIsLong) this.writer.pragma('wal_checkpoint(PASSIVE)');
    this.#setFull(this.now() < this.#sharedUntil);
    this.#begin();
    if (this.#othersWrote() && !this.#full) {
      this.#rollback();
      this.#setFull(true);
      this.#begin();
    }
    this.#changesBefore = this.#changes.get();
  }

  undo(): void {
    this.#undo();
    this.release();
  }

  commit(): void {
    // Units that wrote nothing need no disk.
    const wrote = this.#changes.get() !== this.#changesBefore;
    if (wrote) this.#countCommit();
    if (wrote && !this.#full) this.#keepView();
    try {
      this.#commit();
    } catch (error) {
      if (this.reader.inTransaction) this.#releaseView();
      throw error;
    }
  }

  async sync(): Promise<void> {
    if (!this.reader.inTransaction) return;
    this.#log ??= openSync(`${this.file}-wal`, 'r');
    const log = this.#log;
    await new Promise<void>((resolve, reject) => this.syncFile(log, (error) => (error ? reject(error) : resolve())));
    this.#releaseView();
  }

  rollback(): void {
    this.#rollback();
  }

  close(): void {
    if (this.#log !== undefined) closeSync(this.#log);
  }

  #othersWrote(): boolean {
    const version = this.#version.get();
    if (version === this.#seenVersion) return false;
    this.#seenVersion = version;
    this.#sharedUntil = this.now() + aloneAfterMs;
    return true;
  }

  /** Outside a transaction only. */
  #setFull(full: boolean): void {
    if (full === this.#full) return;
    this.#full = full;
    this.writer.pragma(`synchronous = ${full ? 'FULL' : 'NORMAL'}`);
  }
}

function statement(native: Native, source: string): () => void {
  const compiled = native.prepare(source);
  return () => void compiled.run();
}
