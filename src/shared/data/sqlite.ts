import { chmodSync, closeSync, existsSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import Sqlite from 'better-sqlite3';
import { background } from '../context/index.ts';
import { NotWritten, StartError } from '../errors/index.ts';
import { createLog, type Log } from '../observability/index.ts';
import { fileNote } from './crash-note.ts';
import type { Database, Migration, Unit } from './database.ts';
import type { DatabaseRecords } from './database-records.ts';
import { asNotWritten, explain } from './explain.ts';
import { GroupCommit } from './group-commit.ts';
import { applyMigrations, breakingMigration } from './migrations.ts';
import { OpenFile } from './open-file.ts';
import { fileLocks } from './process-locks.ts';
import { connect, type Guard } from './sqlite-connection.ts';
import { SqliteIdentity } from './sqlite-identity.ts';
import { SqliteTransaction, type Sync } from './sqlite-transaction.ts';

type Native = InstanceType<typeof Sqlite>;

/** The machine as a database sees it, for tests: its clock in milliseconds, and how an open file is put on disk. */
export interface DiskParts {
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
  disk: DiskParts = {},
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
  return new StartError(`the data of "${name}" (${file}) cannot be opened: ${explain(error)}`, { cause: error });
}

const openWithinMs = 5_000;
const againMs = 20;

/**
 * Opens the file with all migrations applied, once `check` has passed it. One that may break whoever uses the database already waits until nobody does: SQLite leaves
 * WAL only then. A process that waits keeps no connection, so that of several that start together one goes first.
 */
function openMigrated(file: string, migrations: readonly Migration[], check: (writer: Native) => void): Native {
  for (const end = performance.now() + openWithinMs; ; pause(againMs * (1 + Math.random()))) {
    const writer = openWriter(file);
    try {
      check(writer);
      const breaking = breakingMigration(writer, migrations);
      if (breaking === undefined) setUp(writer);
      if (breaking === undefined || leavesWal(writer)) {
        applyMigrations(writer, migrations);
        if (breaking !== undefined) setUp(writer);
        return writer;
      }
      if (performance.now() > end)
        throw new StartError(
          `another process has it open, and migration "${breaking}" is not marked as expand; stop the processes of the release before first`,
        );
    } catch (error) {
      writer.close();
      throw error;
    }
    writer.close();
  }
}

function leavesWal(writer: Native): boolean {
  writer.pragma('busy_timeout = 0');
  try {
    writer.pragma('journal_mode = DELETE');
    return true;
  } catch (error) {
    if (!isBusy(error)) throw error;
    return false;
  } finally {
    writer.pragma('busy_timeout = 5000');
  }
}

function openWriter(file: string): Native {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  if (!existsSync(file)) closeSync(openSync(file, 'a', 0o600));
  else chmodSync(file, 0o600);
  return new Sqlite(file, { timeout: 5_000 });
}

function setUp(writer: Native): void {
  untilFree(() => writer.pragma('journal_mode = WAL'));
  writer.pragma('synchronous = FULL');
  writer.pragma('foreign_keys = ON');
  // What a savepoint keeps and what RETURNING gathers: in files, they cost more than the insert itself.
  writer.pragma('temp_store = MEMORY');
}

/** Two processes that open a new file at the same time: who comes second to this change is refused at once, whatever its timeout. */
function untilFree(change: () => unknown): void {
  for (const end = performance.now() + openWithinMs; ; ) {
    try {
      change();
      return;
    } catch (error) {
      if (!isBusy(error) || performance.now() > end) throw error;
      pause(againMs);
    }
  }
}

function isBusy(error: unknown): boolean {
  return (error as { code?: string }).code === 'SQLITE_BUSY';
}

function pause(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

const recordEveryMs = 1_000;

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
  readonly #file: OpenFile;
  readonly #recording: NodeJS.Timeout;
  #closed = false;

  constructor(
    private readonly name: string,
    file: string,
    writer: Native,
    private readonly identity: SqliteIdentity,
    log: Log | undefined,
    { now = () => performance.now(), sync }: DiskParts,
  ) {
    this.#writer = writer;
    this.#file = new OpenFile(file);
    this.locks = fileLocks(`${file}-locks`);
    this.crashNote = fileNote(`${file}-crash-note`);
    this.#reader = new Sqlite(file, { readonly: true, timeout: 5_000 });
    // SQLite waits for a lock by standing still; what waits longer than this waits in the group.
    writer.pragma('busy_timeout = 20');
    this.#transaction = new SqliteTransaction(writer, this.#reader, file, now, sync);
    this.#group = new GroupCommit(name, this.#transaction, now, (error) =>
      (log ?? createLog('error')).error({ error, module: name }, 'a hook failed after its commit; the commit stands'),
    );
    this.#writerDb = connect(writer, new UnitGuard(name, writer, this.#group));
    this.db = connect(this.#reader, { check() {}, failed() {} });
    this.#recording = background.setInterval(() => identity.see(this.#reader), recordEveryMs).unref();
  }

  work<T>(task: (unit: Unit) => Promise<T>): Promise<T> {
    if (this.#closed) return Promise.reject(new Error('the database is closed'));
    if (!this.#file.inPlace)
      return Promise.reject(
        new NotWritten(this.name, this.#file.path, 'it was removed or replaced; put it back and restart'),
      );
    return this.#group
      .run((afterCommit) => task({ db: this.#writerDb, dialect: this.dialect, afterCommit }))
      .catch((error) => {
        throw asNotWritten(this.name, this.#file.path, error);
      });
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#recording);
    while (!this.#group.idle) await new Promise((resolve) => setImmediate(resolve));
    this.identity.see(this.#reader);
    this.#transaction.close();
    this.#reader.close();
    this.#writer.close();
    this.crashNote.close();
  }
}

/** Lets nothing be written but in the open unit, and nothing more of one whose transaction a full disk has ended. */
class UnitGuard implements Guard {
  #suspicious = false;

  constructor(
    private readonly name: string,
    private readonly writer: Native,
    private readonly group: GroupCommit,
  ) {}

  check(): void {
    if (this.group.inside && !(this.#suspicious && !this.writer.inTransaction)) return;
    throw new Error(`a write to "${this.name}" outside its unit of work, or after it ended`);
  }

  failed(): void {
    this.#suspicious = true;
  }
}
