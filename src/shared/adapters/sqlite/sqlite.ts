import { existsSync } from 'node:fs';
import Sqlite from 'better-sqlite3';
import { background } from '../../kernel/context/index.ts';
import {
  type Database,
  type DatabaseRecords,
  explain,
  GroupCommit,
  type Migration,
  type Unit,
} from '../../kernel/database/index.ts';
import { NotWritten, StartError } from '../../kernel/errors/index.ts';
import { createLog, type Log } from '../../kernel/telemetry/index.ts';
import { CommitLog, type Sync } from './commit-log.ts';
import { fileNote } from './crash-note.ts';
import { DatabaseHealth } from './database-health.ts';
import { fileLocks } from './process-locks.ts';
import { connect, type Guard } from './sqlite-connection.ts';
import { SqliteIdentity } from './sqlite-identity.ts';
import { openMigrated } from './sqlite-opening.ts';
import { SqliteTransaction } from './sqlite-transaction.ts';

type Native = InstanceType<typeof Sqlite>;

export interface SqliteDependencies {
  /** The commit log of the process; without one, the database has one for itself. */
  readonly log?: CommitLog;
  /** The machine as a database sees it, for tests: its clock in milliseconds, and how an open file is put on disk. */
  readonly now?: () => number;
  readonly sync?: Sync;
}

/**
 * Opens (and creates, when it is not there) a module's SQLite file: WAL, one connection that writes and one that only reads.
 * What is committed is on disk before anybody is told. Throws a `StartError` when the file cannot be used, or is not what `records`
 * knows of it. Without a `log`, what fails after a commit is written to standard error.
 */
export function openSqlite(
  name: string,
  file: string,
  migrations: readonly Migration[],
  log?: Log,
  records?: DatabaseRecords,
  disk: SqliteDependencies = {},
): Database {
  let writer: Native | undefined;
  try {
    const identity = new SqliteIdentity(name, file, records);
    identity.refuseLostFile();
    writer = openMigrated(file, migrations, (native) => identity.refuseOther(native));
    identity.confirm(writer);
    return new SqliteDatabase(name, file, writer, identity, log, disk);
  } catch (error) {
    writer?.close();
    throw cannotBeOpened(name, file, error);
  }
}

/** Throws the `StartError` that `openSqlite` would throw for data that is lost; changes nothing. */
export function checkSqlite(name: string, file: string, records: DatabaseRecords): void {
  let native: Native | undefined;
  try {
    const identity = new SqliteIdentity(name, file, records);
    identity.refuseLostFile();
    if (!existsSync(file)) return;
    native = new Sqlite(file, { timeout: 5_000 });
    identity.refuseOther(native);
  } catch (error) {
    throw cannotBeOpened(name, file, error);
  } finally {
    native?.close();
  }
}

function cannotBeOpened(name: string, file: string, error: unknown): StartError {
  return new StartError(`the data of "${name}" (${file}) cannot be opened: ${explain(error, file)}`, { cause: error });
}

const watchEveryMs = 1_000;

class SqliteDatabase implements Database {
  readonly dialect = 'sqlite';
  readonly db;
  readonly locks;
  readonly crashNote;
  readonly #writer: Native;
  readonly #reader: Native;
  readonly #writerDb;
  readonly #group: GroupCommit;
  readonly #transaction: SqliteTransaction;
  readonly #health: DatabaseHealth;
  readonly #watching: NodeJS.Timeout;
  readonly #commits: CommitLog;
  #closed = false;
  private readonly name: string;
  private readonly file: string;
  private readonly identity: SqliteIdentity;

  constructor(
    name: string,
    file: string,
    writer: Native,
    identity: SqliteIdentity,
    log: Log | undefined,
    { now = () => performance.now(), sync, log: commits = new CommitLog(undefined, { sync, now }) }: SqliteDependencies,
  ) {
    this.name = name;
    this.file = file;
    this.identity = identity;
    this.#writer = writer;
    this.#commits = commits;
    this.locks = fileLocks(`${file}-locks`);
    this.crashNote = fileNote(`${file}-crash-note`, () => this.#transaction.open);
    this.#reader = new Sqlite(file, { readonly: true, timeout: 5_000 });
    // SQLite waits for a lock by standing still; what waits longer than this waits in the group.
    writer.pragma('busy_timeout = 20');
    const logged = log ?? createLog('error');
    this.#health = new DatabaseHealth(name, file, {
      now,
      frames: () => this.#transaction.frames,
      damaged(why) {
        logged.error({ module: name, file, why }, 'the data of a module is damaged');
        identity.damaged(why);
      },
    });
    this.#transaction = new SqliteTransaction(writer, this.#reader, name, file, now, commits, (page, bytes) =>
      this.#health.page(page, bytes),
    );
    this.#group = new GroupCommit(
      name,
      this.#transaction,
      now,
      (error) => logged.error({ error, module: name }, 'a hook failed after its commit; the commit stands'),
      (error) => this.#health.met(error),
    );
    this.#writerDb = connect(writer, new UnitGuard(name, writer, this.#group, this.#transaction, this.#health));
    this.db = connect(this.#reader, {
      check() {},
      failed: (error) => (isWrite(error) ? error : this.#health.met(error)),
    });
    this.#watching = background.setInterval(() => this.#watch(), watchEveryMs).unref();
  }

  work<T>(task: (unit: Unit) => Promise<T>): Promise<T> {
    return this.#work(task, false);
  }

  workAhead<T>(task: (unit: Unit) => Promise<T>): Promise<T> {
    return this.#work(task, true);
  }

  onDisk(): Promise<void> {
    return this.#commits.onDisk();
  }

  #work<T>(task: (unit: Unit) => Promise<T>, isAhead: boolean): Promise<T> {
    if (this.#closed) return Promise.reject(new Error('the database is closed'));
    const { problem } = this.#health;
    if (problem) return Promise.reject(new NotWritten(this.name, this.file, problem));
    const { dialect } = this;
    const db = this.#writerDb;
    return this.#group.run(({ afterCommit, ahead }) => task({ db, dialect, afterCommit, ahead }), isAhead);
  }

  /** Also while nobody writes: damage is easier to see before SQLite writes over it. */
  #watch(): void {
    this.#health.look();
    void this.identity.seeLater(this.#reader);
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#watching);
    while (!this.#group.idle) await new Promise((resolve) => setImmediate(resolve));
    // What SQLite holds in memory is written over a file that was cut off, and the next start finds no trace of it.
    this.#health.look();
    this.identity.see(this.#reader);
    try {
      await this.#transaction.close();
    } finally {
      this.#reader.close();
      this.#writer.close();
      this.#transaction.closed();
      this.#health.close();
      this.crashNote.close();
    }
  }
}

/** Lets nothing be written but in the open unit, and nothing more of one whose transaction a full disk has ended. */
class UnitGuard implements Guard {
  #suspicious = false;
  private readonly name: string;
  private readonly writer: Native;
  private readonly group: GroupCommit;
  private readonly transaction: SqliteTransaction;
  private readonly health: DatabaseHealth;

  constructor(
    name: string,
    writer: Native,
    group: GroupCommit,
    transaction: SqliteTransaction,
    health: DatabaseHealth,
  ) {
    this.name = name;
    this.writer = writer;
    this.group = group;
    this.transaction = transaction;
    this.health = health;
  }

  check(writes: boolean): void {
    if (this.group.inside && !(this.#suspicious && !this.writer.inTransaction)) {
      if (writes) this.transaction.wrote();
      return;
    }
    throw new Error(`a write to "${this.name}" outside its unit of work, or after it ended`);
  }

  failed(error: unknown): unknown {
    this.#suspicious = true;
    return this.health.met(error);
  }
}

/** A write through the reader is a mistake of its module. */
function isWrite(error: unknown): boolean {
  return String((error as { code?: unknown }).code).startsWith('SQLITE_READONLY');
}
