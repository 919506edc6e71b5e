import { randomBytes, randomUUID } from 'node:crypto';
import { closeSync, ftruncateSync, mkdirSync, openSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { ProcessLocks } from '../../kernel/database/index.ts';
import { type Claim, type Fill, sealRecord } from './commit-log-record.ts';
import { syncPath, writeWhole } from './files.ts';

/** Thrown when the commit log cannot be written. `cause` holds the reason. */
export class LogNotWritten extends Error {
  override readonly name = 'LogNotWritten';
  readonly file: string;

  constructor(file: string, cause: unknown) {
    super(`the commit log ${file} cannot be written`, { cause });
    this.file = file;
  }
}

const maxKeptBytes = 4 * 1024 * 1024;

/** The file of a commit log: a sequence of records. After a restart of the log, new records overwrite the oldest ones. */
export class CommitLogFile {
  readonly #name = randomUUID();
  readonly #path: string;
  readonly #descriptor: number;
  #generation = randomBytes(8);
  #position = 0;
  #memory = Buffer.alloc(0);
  private readonly locks: ProcessLocks;
  private readonly sync: (descriptor: number) => Promise<void>;

  /** Creates a file of this process in `folder`. Throws `LogNotWritten` when that fails. */
  constructor(folder: string, locks: ProcessLocks, sync: (descriptor: number) => Promise<void>) {
    this.locks = locks;
    this.sync = sync;
    this.#path = join(folder, `${this.#name}.log`);
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      locks.hold(this.#name);
      this.#descriptor = openSync(this.#path, 'wx', 0o600);
      syncPath(folder);
    } catch (error) {
      locks.release(this.#name);
      throw new LogNotWritten(this.#path, error);
    }
  }

  /** Length in bytes since the last restart of the log. */
  get length(): number {
    return this.#position;
  }

  /** Resolves when the record is on disk. Rejects with `LogNotWritten`; then the log ends before it. */
  async append(claims: readonly Claim[], fill?: Fill): Promise<void> {
    const record = sealRecord(this.#generation, claims, fill, (bytes) => this.#allocate(bytes));
    try {
      writeWhole(this.#descriptor, record, this.#position);
      await this.sync(this.#descriptor);
    } catch (error) {
      throw new LogNotWritten(this.#path, error);
    }
    this.#position += record.length;
  }

  /** Reuses memory for each record: the system needs more time to allocate new pages than to copy bytes into them. */
  #allocate(bytes: number): Buffer {
    if (bytes > maxKeptBytes) return Buffer.allocUnsafe(bytes);
    if (bytes > this.#memory.length) this.#memory = Buffer.allocUnsafe(Math.min(2 * bytes, maxKeptBytes));
    return this.#memory.subarray(0, bytes);
  }

  /** Removes all records. Resolves when the disk holds none of them any more. */
  async empty(): Promise<void> {
    ftruncateSync(this.#descriptor, 0);
    await this.sync(this.#descriptor);
    this.beginAnew();
  }

  /** Restarts the log at its first byte. The next record overwrites the oldest. */
  beginAnew(): void {
    this.#generation = randomBytes(8);
    this.#position = 0;
  }

  remove(): void {
    closeSync(this.#descriptor);
    rmSync(this.#path, { force: true });
    this.locks.release(this.#name);
  }
}
