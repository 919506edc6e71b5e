import { closeSync, existsSync, ftruncateSync, openSync, readdirSync, readFileSync, readSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { crc32 } from 'node:zlib';
import Sqlite from 'better-sqlite3';
import type { ProcessLocks } from '../../kernel/database/index.ts';
import { explain } from '../../kernel/database-engine/index.ts';
import { StartError } from '../../kernel/errors/index.ts';
import { type Claim, isOfEarlierRun, type LogRecord, recordsIn } from './commit-log-record.ts';
import { syncPath, writeWhole } from './files.ts';
import { saltIn } from './sqlite-files.ts';
import { untilFree } from './sqlite-opening.ts';

const ending = '.log';
const recovering = 'recovery';

/**
 * Restores the databases beside `folder` after a power cut, to the last moment that a commit log in it has on disk. It writes the
 * lost part of a write-ahead log back. It cuts off commits after that moment, which no caller has seen confirmed. After a crash of
 * the process alone, nothing was lost, and it changes nothing. Removes the logs of ended processes. Throws a `StartError` when it
 * cannot read a log or write its content back.
 */
export function recoverLogs(folder: string, locks: ProcessLocks): void {
  if (!existsSync(folder)) return;
  exclusively(locks, () => {
    for (const file of readdirSync(folder)) {
      if (!file.endsWith(ending) || locks.isHeld(file.slice(0, -ending.length))) continue;
      const path = join(folder, file);
      try {
        recover(dirname(folder), readFileSync(path));
        rmSync(path);
        syncPath(folder);
        locks.forget([file.slice(0, -ending.length)]);
      } catch (error) {
        throw new StartError(`the commit log ${path} cannot be recovered: ${explain(error, path)}`, {
          cause: error,
        });
      }
    }
  });
}

/** The content of a log for one database. */
interface LoggedDatabase {
  readonly claim: Claim;
  readonly pieces: readonly { readonly at: number; readonly bytes: Buffer }[];
}

function recover(dataDir: string, log: Buffer): void {
  const records = [...recordsIn(log)];
  const known = knownIn(records);
  const databases = [...known]
    .map(([name, each]) => new DatabaseRecovery(join(dataDir, `${name}.db`), each))
    .filter((each) => !each.wasReplaced);
  const isCut = records.some(isOfEarlierRun) || databases.some((each) => each.isBehind);
  for (const each of databases) {
    if (isCut) each.restore();
    each.sync();
  }
}

function knownIn(records: readonly LogRecord[]): ReadonlyMap<string, LoggedDatabase> {
  const known = new Map<string, LoggedDatabase>();
  for (const { claims, bytes } of records)
    for (const [index, claim] of claims.entries()) {
      if (claim.released) known.delete(claim.name);
      else {
        const before = known.get(claim.name);
        const piece = { at: claim.from, bytes: bytes[index]! };
        const pieces = before?.claim.salt === claim.salt ? [...before.pieces, piece] : [piece];
        known.set(claim.name, { claim, pieces });
      }
    }
  return known;
}

/** A database in its state after the power cut. */
class DatabaseRecovery {
  readonly #wal: string;
  readonly #commits: number;
  readonly #writer: number;
  private readonly file: string;
  private readonly known: LoggedDatabase;

  constructor(file: string, known: LoggedDatabase) {
    this.file = file;
    this.known = known;
    this.#wal = `${file}-wal`;
    [this.#commits, this.#writer] = lastCommitIn(file);
  }

  /** Whether another process has put commits on disk after the commits of the log. */
  get #hasLaterWriter(): boolean {
    return this.#commits > this.known.claim.commits && this.#writer !== this.known.claim.writer;
  }

  /** Whether the file was replaced, so that the log does not apply. `SqliteIdentity` compares the new file with its record later. */
  get wasReplaced(): boolean {
    const { page, pageBytes, sum } = this.known.claim;
    return this.#commits < this.known.claim.commits && sumOf(this.file, page, pageBytes) !== sum;
  }

  get isBehind(): boolean {
    return this.#commits < this.known.claim.commits;
  }

  /** Brings the database to the last commit in the log. */
  restore(): void {
    const { claim, pieces } = this.known;
    if (this.#commits === claim.commits || this.#hasLaterWriter) return;
    const isAnew = saltIn(this.#wal) !== claim.salt;
    if (this.isBehind && isAnew && pieces[0]!.at > 0)
      throw new Error(
        `${this.#wal} has lost what was written before the log begins: restore the database from a backup`,
      );
    const descriptor = openSync(this.#wal, existsSync(this.#wal) ? 'r+' : 'wx+', 0o600);
    try {
      if (this.isBehind) for (const { at, bytes } of pieces) writeWhole(descriptor, bytes, at);
      // A write-ahead log that SQLite restarted since then holds no commit that was on disk.
      ftruncateSync(descriptor, this.isBehind || !isAnew ? claim.end : 0);
    } finally {
      closeSync(descriptor);
    }
    rmSync(`${this.file}-shm`, { force: true });
  }

  /** Puts the write-ahead log on disk, so that the database no longer needs the commit log. */
  sync(): void {
    if (existsSync(this.#wal)) syncPath(this.#wal);
  }
}

/** Returns the checksum of the page, as far as the file contains it. At first, only the write-ahead log contains the page. */
function sumOf(file: string, page: number, bytes: number): number | undefined {
  if (!existsSync(file)) return undefined;
  const descriptor = openSync(file, 'r');
  try {
    const found = Buffer.alloc(bytes);
    return crc32(found.subarray(0, readSync(descriptor, found, 0, bytes, (page - 1) * bytes)));
  } finally {
    closeSync(descriptor);
  }
}

/**
 * Returns the number of commits, and the writer of the last one. The number is -1 when there is no database, or when a damaged
 * write-ahead log hides it. Throws when the file cannot be read.
 */
function lastCommitIn(file: string): [commits: number, writer: number] {
  if (!existsSync(file)) return [-1, 0];
  let native: InstanceType<typeof Sqlite> | undefined;
  try {
    native = new Sqlite(file, { readonly: true, timeout: 5_000 });
    const commits = native.prepare<[], number>('SELECT commits FROM kerf_identity').pluck().get() ?? -1;
    return [commits, native.pragma('user_version', { simple: true }) as number];
  } catch (error) {
    if (/^SQLITE_(CORRUPT|NOTADB|ERROR)/.test(String((error as { code?: unknown }).code))) return [-1, 0];
    throw error;
  } finally {
    native?.close();
  }
}

/** Runs the task in one process at a time. When several processes start together, the first one does all the work. */
function exclusively(locks: ProcessLocks, task: () => void): void {
  untilFree(() => locks.hold(recovering));
  try {
    task();
  } finally {
    locks.release(recovering);
  }
}
