import Sqlite from 'better-sqlite3';
import { applyMigrations } from '../../src/shared/adapters/sqlite/migrations.ts';
import { connect } from '../../src/shared/adapters/sqlite/sqlite-connection.ts';
import { currentUnit, type UnitMark } from '../../src/shared/kernel/context/index.ts';
import type { Db, Migration } from '../../src/shared/kernel/database/index.ts';
import type { Life } from './host.ts';
import { Identity } from './lost-data.ts';

type Native = InstanceType<typeof Sqlite>;

const statements = {
  begin: 'BEGIN',
  rollback: 'ROLLBACK',
  save: 'SAVEPOINT unit',
  release: 'RELEASE unit',
  undo: 'ROLLBACK TO unit',
};

const unsettled = [
  "SELECT 1 FROM kerf_outbox WHERE state IN ('pending', 'failed') LIMIT 1",
  "SELECT 1 FROM kerf_held WHERE state IN ('pending', 'failed') LIMIT 1",
  "SELECT 1 FROM kerf_sagas WHERE state IN ('running', 'compensating') LIMIT 1",
];

/**
 * A module's data, in memory. It survives the crashes of its module. A whole history is one transaction, and its units of work
 * are savepoints in it. A rollback of the transaction restores the first day's state at almost no cost.
 */
export class Disk {
  readonly native: Native = new Sqlite(':memory:');
  readonly reader: Db;
  readonly writer: Db;
  #unit: UnitMark | undefined;
  identity: Identity;
  /** A note outside the database that survives a crash. */
  note = '';
  /** The process whose unit of work is open. */
  owner: Life | undefined;
  /** Names of the migrations at the last open. */
  #release = '';
  #firstRelease = '';
  readonly #asked = new Map<string, Sqlite.Statement>();
  readonly #run: Readonly<Record<keyof typeof statements, () => void>>;
  readonly module: string;

  constructor(module: string) {
    this.module = module;
    this.identity = new Identity(module);
    this.native.pragma('foreign_keys = ON');
    this.reader = connect(readOnly(this.native), { check() {}, failed: (error) => error });
    this.writer = connect(this.native, { check: () => this.#insideUnit(), failed: (error) => error });
    this.#run = Object.fromEntries(
      Object.entries(statements).map(([name, source]) => {
        const compiled = this.native.prepare(source);
        return [name, () => void compiled.run()];
      }),
    ) as never;
  }

  migrate(migrations: Migration[]): void {
    const release = migrations.map(({ name }) => name).join();
    if (release === this.#release) return;
    applyMigrations(this.native, migrations);
    this.#release = release;
  }

  /** Reports every written row as table and JSON, also rows that are rolled back later. Returns a function that stops the reports. */
  listen(tell: (table: string, row: string) => void): () => void {
    this.native.function('simulated_tell', (table, row) => void tell(String(table), String(row)));
    const tables = this.native
      .prepare("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
      .pluck()
      .all() as string[];
    const triggers = tables.flatMap((table) => {
      const columns = this.native.prepare('SELECT name FROM pragma_table_info(?)').pluck().all(table) as string[];
      const row = `json_object(${columns.map((column) => `'${column}', NEW.${column}`).join(', ')})`;
      return ['INSERT', 'UPDATE'].map((event) => {
        const name = `simulated_${event}_${table}`;
        const body = `BEGIN SELECT simulated_tell('${table}', ${row}); END`;
        this.native.exec(`CREATE TEMP TRIGGER ${name} AFTER ${event} ON main.${table} ${body}`);
        return name;
      });
    });
    return () => {
      for (const name of triggers) this.native.exec(`DROP TRIGGER temp.${name}`);
    };
  }

  beginHistory(): void {
    this.note = '';
    this.identity = new Identity(this.module);
    this.#firstRelease = this.#release;
    this.#run.begin();
  }

  endHistory(): void {
    this.#unit = this.owner = undefined;
    this.#run.rollback();
    this.#release = this.#firstRelease;
  }

  /** Whether a unit of work is open. */
  get busy(): boolean {
    return this.#unit !== undefined;
  }

  /** Returns whether the module has no work left: no open unit, no pending event, no running saga. */
  settled(): boolean {
    return !this.busy && unsettled.every((query) => this.ask(query).length === 0);
  }

  /** Runs a query, for the checks of the books. */
  ask<T>(query: string): T[] {
    let statement = this.#asked.get(query);
    if (!statement) {
      statement = this.native.prepare(query);
      this.#asked.set(query, statement);
    }
    return statement.all() as T[];
  }

  open(unit: UnitMark, owner?: Life): void {
    this.#unit = unit;
    this.owner = owner;
    this.#run.save();
  }

  commit(): void {
    this.#run.release();
    this.identity.committed();
    this.#close();
  }

  undo(): void {
    this.#run.undo();
    this.#run.release();
    this.#close();
  }

  /** Deletes the recorded answers of commands with a key. */
  forgetAnswers(): void {
    this.native.exec('DELETE FROM kerf_commands; DELETE FROM kerf_step_answers');
  }

  /** Rolls back the open unit of a dead process, if there is one. */
  abandon(owner: Life): void {
    if (this.owner === owner) this.undo();
  }

  #close(): void {
    if (this.#unit) this.#unit.open = false;
    this.#unit = this.owner = undefined;
  }

  #insideUnit(): void {
    if (this.#unit !== undefined && currentUnit.getStore() === this.#unit) return;
    throw new Error(`a write to "${this.module}" outside its unit of work, or after it ended`);
  }
}

/** Wraps the connection for readers. Throws on a write. */
function readOnly(native: Native): Native {
  const prepare = (source: string) => {
    const statement = native.prepare(source);
    if (!statement.readonly) throw new Error('a write through a reader');
    return statement;
  };
  return { prepare } as unknown as Native;
}
