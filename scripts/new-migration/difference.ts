// Writes the SQL that makes the declared tables of a module from the tables of a database.
import { fail } from '../setup.mjs';
import { drizzleKit, type Native, type Snapshot, type Table } from './snapshot.ts';

export interface Difference {
  readonly statements: readonly string[];
  /** Whether the previous release can work with the tables afterwards. */
  readonly phase: 'expand' | 'contract';
  /** Such as `orders-note`: what changed first. */
  readonly about: string;
}

/**
 * Returns the difference, or `undefined` when there is none. Adds columns first, then changes them, then drops them: drizzle-kit would ask
 * whether a new column is an old one by another name. Leaves indexes and constraints as they are: SQL declares them.
 */
export async function differenceOf(
  native: Native,
  before: Snapshot,
  wanted: Snapshot,
): Promise<Difference | undefined> {
  const after = { ...wanted, tables: mapTables(wanted, (table) => alike(table, before.tables[table.name])) };
  const added = { ...after, tables: { ...before.tables, ...mapTables(after, (table) => withAdded(table, before)) } };
  const changed = { ...after, tables: { ...before.tables, ...mapTables(after, (table) => withOld(table, before)) } };
  const rebuilt = Object.keys(after.tables).filter((name) => differs(added.tables[name], changed.tables[name]));
  for (const name of rebuilt) refuseLoss(native, name);
  const steps = [
    await drizzleKit.generateSQLiteMigration(before, added),
    [
      ...(await drizzleKit.generateSQLiteMigration(added, changed)),
      ...rebuilt.flatMap((name) => indexesOf(native, name)),
    ],
    await drizzleKit.generateSQLiteMigration(changed, after),
  ];
  const statements = steps.flat().filter((statement) => !statement.startsWith('PRAGMA'));
  if (statements.length === 0) return undefined;
  const expands = statements.every((statement) => /^(CREATE TABLE|ALTER TABLE \S+ ADD )/.test(statement));
  return { statements: statements.map(written), phase: expands ? 'expand' : 'contract', about: aboutOf(before, after) };
}

function mapTables({ tables }: Snapshot, map: (table: Table) => Table): Record<string, Table> {
  return Object.fromEntries(Object.entries(tables).map(([name, table]) => [name, map(table)]));
}

/** Returns a declared table with what only SQL declares: the primary key, and the defaults of old columns. */
function alike(table: Table, old: Table | undefined): Table {
  if (!old) return table;
  const columns = Object.entries(table.columns).map(([name, column]) => {
    const known = old.columns[name];
    if (!known) return [name, column];
    const { primaryKey, default: given } = known;
    const notNull = column.notNull || primaryKey;
    return [
      name,
      { ...column, primaryKey, notNull, autoincrement: false, ...(given !== undefined && { default: given }) },
    ];
  });
  return { ...old, columns: Object.fromEntries(columns) };
}

/** The old columns as they were, and the new ones. */
function withAdded(table: Table, { tables }: Snapshot): Table {
  return { ...table, columns: { ...table.columns, ...tables[table.name]?.columns } };
}

/** All columns, the old ones as they are wanted, or as they were when they are to be dropped. */
function withOld(table: Table, { tables }: Snapshot): Table {
  return { ...table, columns: { ...tables[table.name]?.columns, ...table.columns } };
}

function differs(one: Table | undefined, other: Table | undefined): boolean {
  const shape = (table: Table | undefined) => JSON.stringify(Object.entries(table?.columns ?? {}).sort());
  return shape(one) !== shape(other);
}

/** Refuses to rebuild a table whose constraints drizzle-kit does not know. */
function refuseLoss(native: Native, table: string): void {
  const sql = native.prepare('SELECT sql FROM sqlite_schema WHERE name = ?').pluck().get(table) as string;
  const [constraint] = /WITHOUT ROWID|REFERENCES|CHECK|UNIQUE|PRIMARY KEY \(/i.exec(sql) ?? [];
  if (constraint)
    fail(
      `the change rebuilds the table ${table}, and its ${constraint.replace(' (', '')} would be lost; write this migration by hand`,
    );
}

function indexesOf(native: Native, table: string): string[] {
  return native
    .prepare('SELECT sql FROM sqlite_schema WHERE tbl_name = ? AND type = ? AND sql IS NOT NULL')
    .pluck()
    .all(table, 'index') as string[];
}

/** Writes a statement of drizzle-kit as in the other migrations: types in capitals, and quotes only around words of SQL. */
function written(statement: string): string {
  return statement
    .trim()
    .replace(/;$/, '')
    .replace(/["`](\w+)["`]/g, (_, name: string) => (words.has(name.toUpperCase()) ? `"${name}"` : name))
    .replace(
      /^(\t?\S+|ALTER TABLE \S+ ADD \S+) (text|integer)\b/gm,
      (_, name: string, type: string) => `${name} ${type.toUpperCase()}`,
    )
    .replaceAll('PRIMARY KEY NOT NULL', 'PRIMARY KEY')
    .replaceAll('\t', '  ');
}

const words = new Set(
  'ALL AND AS BETWEEN CASE CHECK COLLATE COMMIT CREATE DEFAULT DELETE DISTINCT DROP ELSE EXISTS FROM GROUP HAVING IN INDEX INSERT INTO IS JOIN LIMIT NOT NULL ON OR ORDER PRIMARY REFERENCES SELECT SET TABLE THEN TO TRANSACTION UNION UNIQUE UPDATE USING VALUES WHEN WHERE'.split(
    ' ',
  ),
);

function aboutOf({ tables: before }: Snapshot, { tables: after }: Snapshot): string {
  const changed = Object.values(after).find((table) => differs(table, before[table.name]));
  if (!changed) return `no-${Object.keys(before).find((name) => !after[name])}`;
  const old = before[changed.name];
  const column = old && Object.keys(changed.columns).find((name) => !old.columns[name]);
  return [changed.name, ...(column ? [column] : [])].join('-').replaceAll('_', '-');
}
