import { randomInt } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type Sqlite from 'better-sqlite3';
import type { State } from './commit-log-record.ts';
import { frameHeaderBytes, walHeaderBytes } from './sqlite-files.ts';
import type { WalState } from './wal-index.ts';

type Native = InstanceType<typeof Sqlite>;

/** Counts the commits of a database in the database itself, and records which process made the last one. */
export class CommitCounter {
  readonly #add;
  readonly #read;
  /** Number of commits that the database has counted. Undefined until it is read. */
  #commits: number | undefined;
  /** Identifies the commits of this process. */
  readonly #number = randomInt(1, 2 ** 31);
  #isSigned = false;
  readonly #pageBytes: number;
  readonly #page: number;
  /** Checksum of the counter's page. `of` identifies the checkpoint state of the log at its reading. */
  #sum: { readonly of: string; readonly value: number } | undefined;
  private readonly writer: Native;
  private readonly database: { page(page: number, bytes: number): Buffer };

  /** `database` reads a page of its file. */
  constructor(writer: Native, database: { page(page: number, bytes: number): Buffer }) {
    this.writer = writer;
    this.database = database;
    this.#add = writer.prepare('UPDATE kerf_identity SET commits = commits + 1');
    this.#read = writer.prepare<[], number>('SELECT commits FROM kerf_identity').pluck();
    this.#page = writer
      .prepare<[], number>("SELECT rootpage FROM sqlite_schema WHERE name = 'kerf_identity'")
      .pluck()
      .get()!;
    this.#pageBytes = writer.pragma('page_size', { simple: true }) as number;
  }

  /** Counts the open transaction. Also records this process as the writer when the last commit came from another process. */
  count(): void {
    if (!this.#isSigned) this.writer.pragma(`user_version = ${this.#number}`);
    this.#isSigned = true;
    this.#add.run();
  }

  /** Call it when the counted transaction is committed. */
  committed(): void {
    if (this.#commits !== undefined) this.#commits += 1;
  }

  /** Call it when the commit of the counted transaction has failed. */
  undo(): void {
    this.#isSigned = false;
  }

  /** Call it when another process has committed. */
  othersCommitted(): void {
    this.#commits = undefined;
    this.#isSigned = false;
  }

  /** Returns the state of the database after the last commit, for the commit log. */
  stateAt(index: WalState): State {
    this.#commits ??= this.#read.get()!;
    const pageBytes = this.#pageBytes;
    return {
      salt: index.salt,
      // SQLite writes the header of a restarted log together with its first frame.
      end: index.frames === 0 ? 0 : walHeaderBytes + index.frames * (frameHeaderBytes + pageBytes),
      commits: this.#commits,
      writer: this.#number,
      page: this.#page,
      pageBytes,
      sum: this.#sumOfPage(index),
    };
  }

  /** Returns the checksum of the counter's page. The page changes only when a checkpoint copies the log into the database. */
  #sumOfPage({ salt, copied }: WalState): number {
    const of = `${salt} ${copied}`;
    if (this.#sum?.of !== of) this.#sum = { of, value: crc32(this.database.page(this.#page, this.#pageBytes)) };
    return this.#sum.value;
  }
}
