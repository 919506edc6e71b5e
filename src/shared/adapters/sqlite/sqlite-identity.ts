import { randomUUID } from 'node:crypto';
import type Sqlite from 'better-sqlite3';
import {
  cure,
  type DatabaseRecord,
  type DatabaseRecords,
  type DatabaseState,
  whyNotThis,
} from '../../kernel/database/index.ts';
import { StartError } from '../../kernel/errors/index.ts';
import { damageOfWal, sizeOf } from './sqlite-files.ts';

type Native = InstanceType<typeof Sqlite>;

/** 0.1 s, at the pace that was measured (1.2 ms a MB, from the cache of the system). */
const mostCheckedBytes = 100 * 1024 * 1024;

/**
 * Compares a database with its last known state, before anything is written: first the files, since SQLite takes a missing file as a
 * new one and passes over a damaged log, then the row that holds its identity.
 */
export class SqliteIdentity {
  readonly #record: DatabaseRecord | undefined;
  readonly #wal: string;
  /** Of the connection whose state is looked at again and again. */
  #state: Sqlite.Statement<[], DatabaseState> | undefined;
  /** Whether nobody has closed it in order, or another process has it open. */
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

  /** Throws a `StartError` when the file or a part of its log is lost. To be asked before a connection is opened. */
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

  /** Throws a `StartError` when it is another database than the one that is known, an older state of it, or damaged. */
  refuseOther(native: Native): void {
    const found = stateIn(native) ?? this.#unmarked(native);
    const why = whyNotThis(this.module, found, this.#record, this.records?.system);
    if (why) throw new StartError(why);
    if (!this.#hasLog || sizeOf(this.file) > mostCheckedBytes) return;
    const [first] = native.pragma('quick_check(1)') as { quick_check: string }[];
    if (first?.quick_check !== 'ok')
      throw new StartError(`it is damaged (${first?.quick_check}); restore it from a backup`);
  }

  /** Gives the database its identity, if it has none, and keeps in the data folder what was seen. */
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

  /** Keeps in the data folder how far the database is. Later is soon enough where the folder takes nothing now. */
  see(native: Native): void {
    try {
      this.records?.see(this.#now(native));
    } catch {
      // A full disk, or a folder that is gone, is found by the writes that matter.
    }
  }

  /** Does the same as `see` and does not block the event loop for the disk. */
  async seeLater(native: Native): Promise<void> {
    try {
      await this.records?.seeLater(this.#now(native));
    } catch {
      // As above.
    }
  }

  /** By a statement that is compiled once: it is asked once a second. */
  #now(native: Native): DatabaseState {
    this.#state ??= native.prepare<[], DatabaseState>(stateQuery);
    return this.#state.get()!;
  }

  /** Keeps in the data folder that the database was damaged, so that the next start does not go on with it. */
  damaged(why: string): void {
    try {
      this.records?.damaged(this.module, why);
    } catch {
      // As above.
    }
  }

  /** What a database of a release that gave none an identity says of itself; nothing where it is new. */
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
