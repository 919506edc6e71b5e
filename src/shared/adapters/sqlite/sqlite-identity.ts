import { randomUUID } from 'node:crypto';
import type Sqlite from 'better-sqlite3';
import {
  cure,
  type DatabaseRecord,
  type DatabaseRecords,
  type DatabaseState,
  whyNotThis,
} from '../../kernel/database-engine/index.ts';
import { StartError } from '../../kernel/errors/index.ts';
import { damageOfWal, sizeOf } from './sqlite-files.ts';

type Native = InstanceType<typeof Sqlite>;

/** Maximum size for a full check. It takes 0.1 s at the measured speed (1.2 ms per MB, from the cache of the system). */
const maxCheckedBytes = 100 * 1024 * 1024;

/**
 * Compares a database with its last known state, before any write. Checks the files first, because SQLite treats a missing file as a
 * new one and skips a damaged log. Then checks the row with the identity.
 */
export class SqliteIdentity {
  readonly #record: DatabaseRecord | undefined;
  readonly #wal: string;
  /** Compiled state query of the connection whose state is read repeatedly. */
  #state: Sqlite.Statement<[], DatabaseState> | undefined;
  /** Whether the last process did not close the database cleanly, or another process has it open. */
  readonly #hasLog: boolean;
  private readonly module: string;
  private readonly file: string;
  private readonly records: DatabaseRecords | undefined;

  constructor(module: string, file: string, records: DatabaseRecords | undefined) {
    this.module = module;
    this.file = file;
    this.records = records;
    this.#record = records?.of(module);
    this.#wal = `${file}-wal`;
    this.#hasLog = sizeOf(this.#wal) > 0;
  }

  /** Throws a `StartError` when the file or a part of its log is lost. Call it before you open a connection. */
  refuseLostFile(): void {
    if (this.#record && 'acceptedAt' in this.#record) return;
    if (sizeOf(this.file) === 0) {
      const why = whyNotThis(this.module, undefined, this.#record, undefined);
      if (why) throw new StartError(why);
      if (this.#hasLog)
        throw new StartError(
          `it is missing or empty, and its write-ahead log ${this.#wal} is not; ${cure(this.module)}`,
        );
      return;
    }
    const damage = this.#hasLog && damageOfWal(this.#wal);
    if (damage)
      throw new StartError(
        `its write-ahead log ${this.#wal} is damaged (${damage}), and the commits behind are lost; ${cure(this.module)}`,
      );
  }

  /** Throws a `StartError` when the file is another database than the recorded one, an older state of it, or damaged. */
  refuseOther(native: Native): void {
    const found = stateIn(native) ?? this.#unmarked(native);
    const why = whyNotThis(this.module, found, this.#record, this.records?.system);
    if (why) throw new StartError(why);
    if (!this.#hasLog || sizeOf(this.file) > maxCheckedBytes) return;
    const [first] = native.pragma('quick_check(1)') as { quick_check: string }[];
    if (first?.quick_check !== 'ok')
      throw new StartError(`it is damaged (${first?.quick_check}); restore it from a backup`);
  }

  /** Gives the database an identity, if it has none, and records its state in the data folder. */
  confirm(native: Native): void {
    const system = this.records?.system ?? stateIn(native)?.system ?? this.records?.newSystem();
    const state = { system: system ?? null, module: this.module, id: randomUUID() };
    if (stateIn(native)?.system !== state.system)
      native
        .transaction(() => {
          native.exec(identityTable);
          native.prepare('INSERT OR IGNORE INTO kerf_identity VALUES (1, @system, @module, @id, 0)').run(state);
          native.prepare('UPDATE kerf_identity SET system = ?').run(state.system);
        })
        .immediate();
    if (system) this.records?.setSystem(system);
    this.records?.see(stateIn(native)!);
  }

  /** Records the state of the database in the data folder. Ignores a failed write, because a later record suffices. */
  see(native: Native): void {
    try {
      this.records?.see(this.#now(native));
    } catch {
      // The important writes report a full disk or a missing folder.
    }
  }

  /** Does the same as `see`, without blocking the event loop for the disk. */
  async seeLater(native: Native): Promise<void> {
    try {
      await this.records?.seeLater(this.#now(native));
    } catch {
      // As above.
    }
  }

  /** Reads the current state. Compiles the statement once, because it runs every second. */
  #now(native: Native): DatabaseState {
    this.#state ??= native.prepare<[], DatabaseState>(stateQuery);
    return this.#state.get()!;
  }

  /** Records the damage in the data folder, so that the next start refuses the database. */
  damaged(why: string): void {
    try {
      this.records?.damaged(this.module, why);
    } catch {
      // As above.
    }
  }

  /** Returns the state of a database from a release without identities; undefined when it is new. */
  #unmarked(native: Native): DatabaseState | undefined {
    const isNew = native.prepare('SELECT 1 FROM sqlite_schema LIMIT 1').get() === undefined;
    return isNew && !this.#record ? undefined : { system: null, module: this.module, id: '', commits: 0 };
  }
}

const identityTable = `CREATE TABLE IF NOT EXISTS kerf_identity
  (one INTEGER PRIMARY KEY CHECK (one = 1), system TEXT, module TEXT NOT NULL, id TEXT NOT NULL, commits INTEGER NOT NULL)`;

const stateQuery = 'SELECT system, module, id, commits FROM kerf_identity';

function stateIn(native: Native): DatabaseState | undefined {
  const isThere = native.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'kerf_identity'").get();
  if (!isThere) return undefined;
  return native.prepare<[], DatabaseState>(stateQuery).get();
}
