import { existsSync } from 'node:fs';
import Sqlite from 'better-sqlite3';
import { background } from '../../kernel/context/index.ts';
import type { CommitCounts, Database, Migration, Unit, UnitUsage } from '../../kernel/database/index.ts';
import { type DatabaseRecords, explain, GroupCommit } from '../../kernel/database-engine/index.ts';
import { errorCode, NotWritten, StartError } from '../../kernel/errors/index.ts';
import { type Log, silentLog } from '../../kernel/telemetry/index.ts';
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
  /** Commit log of the process. Without it, the database creates its own. */
  readonly log?: CommitLog;
  /** For tests: the clock in milliseconds. `sync` replaces the sync of an open file. */
  readonly now?: () => number;
  readonly sync?: Sync;
}

/**
 * Opens a module's SQLite file, or creates it: WAL mode, one connection for writes and one for reads. A commit is on disk before any
 * caller learns of it. Throws a `StartError` when the file cannot be used, or does not match `records`. Without a `log`, failures
 * after a commit go to standard error.
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

/** Throws the `StartError` that `openSqlite` would throw for lost data. Changes nothing. */
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
    // SQLite blocks the thread while it waits for a lock. Longer waits happen in the group.
    writer.pragma('busy_timeout = 20');
    const logged = log ?? silentLog;
    this.#health = new DatabaseHealth(name, file, {
      now,
      frames: () => this.#transaction.frames,
      damaged(why) {
        logged.error({ module: name, file, why }, 'the data of a module is damaged');
        identity.damaged(why);
      },
    });
    this.#transaction = new SqliteTransaction(writer, this.#reader, name, this.#health, now, commits);
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

  work<T>(task: (unit: Unit) => Promise<T>, usage?: UnitUsage): Promise<T> {
    return this.#work(task, false, usage);
  }

  workAhead<T>(task: (unit: Unit) => Promise<T>, usage?: UnitUsage): Promise<T> {
    return this.#work(task, true, usage);
  }

  get commits(): CommitCounts {
    return this.#group.counts;
  }

  onWritten(listener: GroupCommit['onWritten']): void {
    this.#group.onWritten = listener;
  }

  onDisk(): Promise<void> {
    return this.#commits.onDisk();
  }

  #work<T>(task: (unit: Unit) => Promise<T>, isAhead: boolean, usage: UnitUsage | undefined): Promise<T> {
    if (this.#closed) return Promise.reject(new Error('the database is closed'));
    const { problem } = this.#health;
    if (problem) return Promise.reject(new NotWritten(this.name, this.file, problem));
    const { dialect } = this;
    const db = this.#writerDb;
    return this.#group.run(({ afterCommit, ahead }) => task({ db, dialect, afterCommit, ahead }), isAhead, usage);
  }

  /** Checks the files periodically, even without writes: damage is easier to detect before SQLite overwrites it. */
  #watch(): void {
    this.#health.look();
    void this.identity.seeLater(this.#reader);
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#watching);
    while (!this.#group.idle) await new Promise((resolve) => setImmediate(resolve));
    // At its close, SQLite writes its memory over a truncated file. The next start could not detect the damage.
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

/** Allows statements only inside the open unit. Refuses the rest of a unit whose transaction ended early, as on a full disk. */
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
      this.group.ran();
      return;
    }
    throw new Error(`a write to "${this.name}" outside its unit of work, or after it ended`);
  }

  failed(error: unknown): unknown {
    this.#suspicious = true;
    return this.health.met(error);
  }
}

/** Tells whether the error comes from a write through the reader, which is a bug of the module. */
function isWrite(error: unknown): boolean {
  return errorCode(error)?.startsWith('SQLITE_READONLY') ?? false;
}
