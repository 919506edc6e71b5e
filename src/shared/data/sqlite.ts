import { chmodSync, closeSync, existsSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import Sqlite from 'better-sqlite3';
import { StartError } from '../errors/index.ts';
import type { Database, Migration, Unit } from './database.ts';
import { GroupCommit } from './group-commit.ts';
import { applyMigrations } from './migrations.ts';
import { OpenFile } from './open-file.ts';
import { connect, type Guard } from './sqlite-connection.ts';

type Native = InstanceType<typeof Sqlite>;

/**
 * Opens (and creates, when it is not there) a module's SQLite file: WAL, `synchronous=FULL`, one connection that writes
 * and one that only reads. Throws a `StartError` when the file cannot be used.
 */
export function openSqlite(name: string, file: string, migrations: Migration[]): Database {
  try {
    const writer = openWriter(file);
    applyMigrations(writer, migrations);
    return new SqliteDatabase(name, file, writer);
  } catch (error) {
    throw new StartError(`the data of "${name}" (${file}) cannot be opened: ${explain(error)}`, { cause: error });
  }
}

function openWriter(file: string): Native {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  if (!existsSync(file)) closeSync(openSync(file, 'a', 0o600));
  else chmodSync(file, 0o600);
  const writer = new Sqlite(file, { timeout: 5_000 });
  untilFree(() => writer.pragma('journal_mode = WAL'));
  writer.pragma('synchronous = FULL');
  writer.pragma('foreign_keys = ON');
  // What a savepoint keeps and what RETURNING gathers: in files, they cost more than the insert itself.
  writer.pragma('temp_store = MEMORY');
  return writer;
}

const openWithinMs = 5_000;
const againMs = 20;

/** Two processes that open a new file at the same time: who comes second to this change is refused at once, whatever its timeout. */
function untilFree(change: () => unknown): void {
  for (const end = Date.now() + openWithinMs; ; ) {
    try {
      change();
      return;
    } catch (error) {
      if ((error as { code?: string }).code !== 'SQLITE_BUSY' || Date.now() > end) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, againMs);
    }
  }
}

class SqliteDatabase implements Database {
  readonly dialect = 'sqlite';
  readonly db;
  readonly #writer: Native;
  readonly #reader: Native;
  readonly #writerDb;
  readonly #group: GroupCommit;
  readonly #file: OpenFile;
  #closed = false;

  constructor(name: string, file: string, writer: Native) {
    this.#writer = writer;
    this.#file = new OpenFile(file);
    this.#reader = new Sqlite(file, { readonly: true, timeout: 5_000 });
    // SQLite waits for a lock by standing still; what waits longer than this waits in the group.
    writer.pragma('busy_timeout = 20');
    this.#group = new GroupCommit(name, transactionOf(writer));
    this.#writerDb = connect(writer, new UnitGuard(name, writer, this.#group));
    this.db = connect(this.#reader, { check() {}, failed() {} });
  }

  work<T>(task: (unit: Unit) => Promise<T>): Promise<T> {
    if (this.#closed) return Promise.reject(new Error('the database is closed'));
    if (!this.#file.inPlace)
      return Promise.reject(new Error(`${this.#file.path} was removed or replaced; put it back and restart`));
    return this.#group
      .run((afterCommit) => task({ db: this.#writerDb, dialect: this.dialect, afterCommit }))
      .catch((error) => {
        throw withCure(this.#file.path, error);
      });
  }

  async close(): Promise<void> {
    this.#closed = true;
    while (!this.#group.idle) await new Promise((resolve) => setImmediate(resolve));
    this.#reader.close();
    this.#writer.close();
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

function transactionOf(native: Native) {
  const statement = (source: string) => {
    const compiled = native.prepare(source);
    return () => void compiled.run();
  };
  const undo = statement('ROLLBACK TO unit');
  const release = statement('RELEASE unit');
  return {
    begin: statement('BEGIN IMMEDIATE'),
    save: statement('SAVEPOINT unit'),
    release,
    undo() {
      undo();
      release();
    },
    commit: statement('COMMIT'),
    rollback: statement('ROLLBACK'),
  };
}

const explanations: Record<string, string> = {
  SQLITE_NOTADB: 'the file is damaged or is not a database; move it away or restore it from a backup',
  SQLITE_CORRUPT: 'the file is damaged; restore it from a backup',
  SQLITE_READONLY: 'it is read-only; make the folder writable or set DATA_DIR to one that is',
  SQLITE_CANTOPEN: 'the folder cannot be written; make it writable or set DATA_DIR to one that is',
  SQLITE_FULL: 'the disk is full; make room, and it goes on by itself',
  EACCES: 'permission denied; make the folder writable or set DATA_DIR to one that is',
  EROFS: 'the file system is read-only; set DATA_DIR to a folder that can be written',
  ENOTDIR: 'a part of the path is a file; set DATA_DIR to a folder',
  EEXIST: 'a part of the path is a file; set DATA_DIR to a folder',
};

/** What the disk or the file refuses, with the file and what to do about it; any other error as it is. */
function withCure(file: string, error: unknown): unknown {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    const code = (cause as { code?: string }).code ?? '';
    if (code.startsWith('SQLITE_') && explain(cause) !== cause.message) {
      return new Error(`${file} took no write: ${explain(cause)}`, { cause: error });
    }
  }
  return error;
}

function explain(error: unknown): string {
  const { code = '', message } = error as { code?: string; message: string };
  const known = Object.keys(explanations).find((prefix) => code.startsWith(prefix));
  return known ? explanations[known]! : message;
}
