import type { BaseSQLiteDatabase } from 'drizzle-orm/sqlite-core';

export type Dialect = 'sqlite';

/**
 * Queries in Drizzle's language. Await them; never `.get()`, `.all()` or `.run()`, which only SQLite has: the same code
 * is to run on every dialect.
 */
export type Db = BaseSQLiteDatabase<'async', unknown>;

/** Reads of what has been committed. A write through it is refused by the database. */
export interface Reader {
  readonly db: Db;
  readonly dialect: Dialect;
}

/** Reads and writes that are committed together or not at all. Usable only while its task runs. */
export interface Unit extends Reader {
  /**
   * Runs `task` in the background once the unit is on disk; not at all when it is rolled back. One that fails is logged, and
   * changes nothing about the commit.
   */
  afterCommit(task: () => unknown): void;
  /** The same as soon as later units see it, before it is on disk: for what stays in this process. */
  ahead(task: () => unknown): void;
}

/**
 * Locks by name, beside a database, for the processes that share it. A lock ends with the process that holds it, however that ends:
 * the operating system releases it.
 */
export interface ProcessLocks {
  /** Holds the lock until `release`. Throws when it cannot be made, or another process holds it. */
  hold(name: string): void;
  /** Whether a process holds it, this one included; undefined where that cannot be known, as of a lock that was never made. */
  isHeld(name: string): boolean | undefined;
  release(name: string): void;
  /** Removes what processes that ended have left of theirs. */
  forget(names: readonly string[]): void;
}

/**
 * One line of text beside the data, for whatever must be known after a process ended in the middle of it. It is written without
 * fsync: it survives the end of the process, not of the machine. Read and write it inside a unit of work: then no two processes do
 * so at a time.
 */
export interface CrashNote {
  readonly isEmpty: boolean;
  read(): string;
  /** Replaces the line. An empty text removes it. */
  write(text: string): void;
}

/** One module's data. No other module has its handle. */
export interface Database extends Reader {
  readonly locks: ProcessLocks;
  /** Where the data has a place for one. */
  readonly crashNote?: CrashNote;
  /**
   * Runs `task` in a unit of work and resolves with its result once that is on disk (fsync). Rolls back what it wrote
   * when it throws. Units run one after the other; many that wait share one fsync. A task waits for nothing but its own
   * database: calling a module inside it is refused, and one that is open for longer than 5 s is rolled back.
   */
  work<T>(task: (unit: Unit) => Promise<T>): Promise<T>;
  /**
   * The same, but resolves as soon as later units see it, before it is on disk. Nothing that rests on its result may leave the process,
   * or be read outside a unit, before `onDisk` has resolved. Then it is lost together with all that rests on it, or not at all.
   */
  workAhead<T>(task: (unit: Unit) => Promise<T>): Promise<T>;
  /** Resolves when all that this process has committed so far, to any of its databases, is on disk. */
  onDisk(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Whether the release before can work with the data after a migration: after `expand` it can (a new table, a new column that may be
 * left out), after `contract` it cannot (something renamed, removed or narrowed).
 */
export type Phase = 'expand' | 'contract';

/** One step of a schema, applied once, in the order of its module's list. Its text is not changed any more once it was applied. */
export interface Migration {
  readonly name: string;
  /** Without one, it counts as `contract`. */
  readonly phase?: Phase;
  readonly sqlite: string;
}
