import type { BaseSQLiteDatabase } from 'drizzle-orm/sqlite-core';

export type Dialect = 'sqlite';

/** The result of a write that returns no rows. */
export interface Changes {
  /** The number of rows that the write has inserted or changed. */
  readonly changes: number;
}

/**
 * Builds queries with Drizzle. Await the queries; never call `.get()`, `.all()` or `.run()`. Only SQLite has these methods, and the
 * same code must run on every dialect.
 */
export type Db = BaseSQLiteDatabase<'async', Changes>;

/** Reads committed data. The database refuses a write through it. */
export interface Reader {
  readonly db: Db;
  readonly dialect: Dialect;
}

/** Reads and writes that the database commits together or not at all. Usable only while its task runs. */
export interface Unit extends Reader {
  /**
   * Runs `task` in the background once the unit is on disk. A rolled-back unit does not run it. The failure of a task is logged and does
   * not affect the commit.
   */
  afterCommit(task: () => unknown): void;
  /** Runs `task` as soon as later units see this unit, before it is on disk. Use it only for effects that stay in this process. */
  ahead(task: () => unknown): void;
}

/**
 * Named locks beside a database, for the processes that share it. The operating system releases a lock when its process ends, even in a
 * crash.
 */
export interface ProcessLocks {
  /** Holds the lock until `release`. Throws when the lock cannot be created or another process holds it. */
  hold(name: string): void;
  /** Returns whether any process, including this one, holds the lock; `undefined` when unknown, as for a lock that was never created. */
  isHeld(name: string): boolean | undefined;
  release(name: string): void;
  /** Removes the remains of locks whose processes have ended. */
  forget(names: readonly string[]): void;
}

/**
 * Keeps one line of text beside the data, to be read after a process has ended in the middle of its work. The line is written without
 * fsync: it survives a crash of the process, but not of the machine. Read and write it inside a unit of work, so that only one
 * process does so at a time.
 */
export interface CrashNote {
  readonly isEmpty: boolean;
  read(): string;
  /** Replaces the line. An empty text removes it. */
  write(text: string): void;
}

/** What a group commit has done since it was created, and what waits. */
export interface CommitCounts {
  /** Units of work that wait for their turn. */
  readonly waiting: number;
  /** Units of work that committed or failed. */
  readonly units: number;
}

/** A group that is on disk. */
export interface WrittenGroup {
  /** Number of its units of work, including those that failed. */
  readonly units: number;
  /** Time in which it was written to disk, in milliseconds. */
  readonly ms: number;
}

/** What one unit of work has used. The database adds to it until the unit settles. */
export interface UnitUsage {
  /** Number of statements that its task ran. */
  statements: number;
  /** How long it waited for the disk after its task, in milliseconds: for earlier commits, and for its own. */
  diskMs: number;
}

/** The data of one module. No other module has its handle. */
export interface Database extends Reader {
  readonly locks: ProcessLocks;
  /** Present only when the data has a place for a note. */
  readonly crashNote?: CrashNote;
  /** Present only when the database commits in groups. */
  readonly commits?: CommitCounts;
  /** Calls `listener` for each group that is on disk. Present only when the database commits in groups. */
  readonly onWritten?: (listener: (group: WrittenGroup) => void) => void;
  /**
   * Runs `task` in a unit of work and resolves with its result once the unit is on disk (fsync). Rolls its writes back when it
   * throws. Units run one after the other; waiting units share one fsync. A task may wait only for its own database: a call to a
   * module inside it is refused, and a unit that is open for longer than 5 s is rolled back. A database that commits in groups adds to
   * `usage`, if given.
   */
  work<T>(task: (unit: Unit) => Promise<T>, usage?: UnitUsage): Promise<T>;
  /**
   * Does the same, but resolves as soon as later units see the unit, before it is on disk. Until `onDisk` has resolved, nothing that
   * depends on the result may leave the process or be read outside a unit. So a crash loses the unit only together with everything that
   * depends on it.
   */
  workAhead<T>(task: (unit: Unit) => Promise<T>, usage?: UnitUsage): Promise<T>;
  /** Resolves when all commits of this process so far, to any of its databases, are on disk. */
  onDisk(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Says whether the previous release can work with the data after a migration. After `expand` it can: a new table, or a new column that
 * may be left out. After `contract` it cannot: something was renamed, removed or narrowed.
 */
export type Phase = 'expand' | 'contract';

/** One change of the schema. It is applied once, in the order of its module's list. Never change its text after it was applied. */
export interface Migration {
  readonly name: string;
  /** A migration without a phase counts as `contract`. */
  readonly phase?: Phase;
  readonly sqlite: string;
}

/** The prefix of all kernel migrations. Each folder of the kernel may add its own migrations at any time. */
export const kernelPrefix = 'kerf-';
