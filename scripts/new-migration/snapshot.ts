// The tables of a database and of a module, in the form of drizzle-kit.
import { createRequire } from 'node:module';
import Sqlite from 'better-sqlite3';
import type { Migration } from '../../src/shared/kernel/database/index.ts';

export type Native = InstanceType<typeof Sqlite>;

interface Column {
  readonly name: string;
  readonly type: string;
  readonly primaryKey: boolean;
  readonly notNull: boolean;
  readonly autoincrement: boolean;
  readonly default?: unknown;
}

export interface Table {
  readonly name: string;
  readonly columns: Readonly<Record<string, Column>>;
}

/** The parts of a snapshot that are read here. */
export interface Snapshot {
  readonly tables: Readonly<Record<string, Table>>;
}

interface DrizzleKit {
  generateSQLiteDrizzleJson(tables: Record<string, unknown>): Promise<Snapshot>;
  generateSQLiteMigration(before: Snapshot, after: Snapshot): Promise<string[]>;
}

// Its ES module calls require.
export const drizzleKit: DrizzleKit = createRequire(import.meta.url)('drizzle-kit/api');

/** Creates a database in memory, as these migrations leave it. */
export function migrated(migrations: readonly Migration[]): Native {
  const native = new Sqlite(':memory:');
  native.pragma('foreign_keys = OFF');
  for (const { sqlite } of migrations) native.exec(sqlite);
  return native;
}

/** Returns the tables of a database. */
export function snapshotOf(native: Native, like: Snapshot): Snapshot {
  const names = native
    .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
    .pluck();
  const tables = (names.all() as string[]).map((name) => [name, tableOf(native, name)] as const);
  return { ...like, tables: Object.fromEntries(tables) };
}

/** Returns the tables that a module declares. */
export async function declared(tables: Record<string, unknown>): Promise<Snapshot> {
  return drizzleKit.generateSQLiteDrizzleJson(tables);
}

interface ColumnInfo {
  readonly name: string;
  readonly type: string;
  readonly notnull: 0 | 1;
  readonly dflt_value: string | null;
  readonly pk: number;
}

function tableOf(native: Native, name: string): Table {
  const columns = (native.pragma(`table_info(${JSON.stringify(name)})`) as ColumnInfo[]).map(columnOf);
  // The other parts belong to drizzle-kit.
  return {
    ...{ name, columns: Object.fromEntries(columns.map((column) => [column.name, column])) },
    ...{ indexes: {}, foreignKeys: {}, compositePrimaryKeys: {}, uniqueConstraints: {}, checkConstraints: {} },
  };
}

function columnOf({ name, type, notnull, dflt_value, pk }: ColumnInfo): Column {
  return {
    ...{ name, type: type.toLowerCase(), primaryKey: pk > 0, notNull: notnull === 1 || pk > 0, autoincrement: false },
    ...(dflt_value !== null && { default: dflt_value }),
  };
}
