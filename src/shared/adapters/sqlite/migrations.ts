import type Sqlite from 'better-sqlite3';
import { kernelPrefix, type Migration } from '../../kernel/database/index.ts';
import {
  type AppliedMigration,
  explain,
  type MigrationPlan,
  planMigrations,
} from '../../kernel/database-engine/index.ts';
import { StartError } from '../../kernel/errors/index.ts';
import { droppedByName, shown, whyRefused } from './migration-rules.ts';
import { hashOf, type SqlStatement, statementsOf } from './sql-statements.ts';

type Native = InstanceType<typeof Sqlite>;

/**
 * Applies all pending migrations with their records, or none. Foreign keys are off meanwhile, so that a migration can rebuild a table
 * under the rows that refer to it. Checks the foreign keys before it records a migration. Throws a `StartError` that names the
 * migration and its line, if possible before any change.
 */
export function applyMigrations(native: Native, migrations: readonly Migration[]): void {
  const { pending, unrecorded } = pendingMigrations(native, migrations);
  if (pending.length === 0 && unrecorded.length === 0) return;
  for (const migration of pending) refuseText(migration);
  const enforced = native.pragma('foreign_keys', { simple: true });
  // This setting has no effect within a transaction, so it comes first.
  native.pragma('foreign_keys = OFF');
  try {
    native.transaction(() => applyAll(native, migrations)).immediate();
  } finally {
    native.pragma(`foreign_keys = ${enforced}`);
  }
}

/** Returns the first pending migration that may break a process of another release; undefined for a new database. */
export function breakingMigration(native: Native, migrations: readonly Migration[]): string | undefined {
  const { pending } = pendingMigrations(native, migrations);
  return pending.length === migrations.length ? undefined : pending.find(({ phase }) => phase !== 'expand')?.name;
}

function pendingMigrations(native: Native, migrations: readonly Migration[]): MigrationPlan {
  return planMigrations(appliedTo(native), migrations, (migration) => parsed(migration).hash);
}

function appliedTo(native: Native): AppliedMigration[] {
  const columns = columnsOfRecord(native);
  if (columns.length === 0) return [];
  const [hash, phase] = columns.includes('hash') ? ['hash', 'phase'] : ['NULL', 'NULL'];
  const query = `SELECT name, applied_at AS appliedAt, ${hash} AS hash, ${phase} AS phase FROM kerf_migrations ORDER BY rowid`;
  return native.prepare(query).all() as AppliedMigration[];
}

function columnsOfRecord(native: Native): string[] {
  return native.prepare("SELECT name FROM pragma_table_info('kerf_migrations')").pluck().all() as string[];
}

interface Parsed {
  readonly statements: readonly SqlStatement[];
  readonly hash: string;
}

const known = new WeakMap<Migration, Parsed>();

function parsed(migration: Migration): Parsed {
  let found = known.get(migration);
  if (!found) {
    const statements = statementsOf(migration.sqlite);
    found = { statements, hash: hashOf(statements) };
    known.set(migration, found);
  }
  return found;
}

function refuseText(migration: Migration): void {
  const isKernels = migration.name.startsWith(kernelPrefix);
  for (const statement of parsed(migration).statements) {
    const why = whyRefused(statement, isKernels);
    if (why) throw failure(migration, `${at(statement)}: ${why}`);
  }
}

function applyAll(native: Native, migrations: readonly Migration[]): void {
  prepareRecord(native);
  // Another process may have applied them first.
  const { pending, unrecorded } = pendingMigrations(native, migrations);
  const insert = native.prepare(
    "INSERT INTO kerf_migrations (name, applied_at, hash, phase) VALUES (?, strftime('%Y-%m-%dT%H:%M:%fZ'), ?, ?)",
  );
  for (const migration of pending) {
    apply(native, migration);
    insert.run(migration.name, parsed(migration).hash, migration.phase ?? null);
  }
  const update = native.prepare('UPDATE kerf_migrations SET hash = ?, phase = coalesce(?, phase) WHERE name = ?');
  for (const migration of unrecorded) update.run(parsed(migration).hash, migration.phase ?? null, migration.name);
}

function prepareRecord(native: Native): void {
  const columns = columnsOfRecord(native);
  if (columns.length === 0)
    native.exec(
      'CREATE TABLE kerf_migrations (name TEXT PRIMARY KEY, applied_at TEXT NOT NULL, hash TEXT, phase TEXT)',
    );
  else if (!columns.includes('hash'))
    native.exec('ALTER TABLE kerf_migrations ADD COLUMN hash TEXT; ALTER TABLE kerf_migrations ADD COLUMN phase TEXT');
}

function apply(native: Native, migration: Migration): void {
  const { statements } = parsed(migration);
  const before = partsOf(native);
  for (const statement of statements) {
    try {
      native.exec(statement.text);
    } catch (error) {
      const why = explain(error);
      const cure = /^error in (view|trigger) /.test(why) ? '; drop it before, and create it again after' : '';
      throw failure(migration, `${at(statement)}: ${why}${cure}`, error);
    }
  }
  const why = danglingReferences(native) ?? brokenObject(native) ?? lostPart(native, before, droppedByName(statements));
  if (why) throw failure(migration, why);
}

function at(statement: SqlStatement): string {
  return `line ${statement.line} (${shown(statement)})`;
}

function failure({ name }: Migration, why: string, cause?: unknown): StartError {
  return new StartError(`migration "${name}", ${why}; nothing was changed`, { cause });
}

interface Part {
  readonly type: string;
  readonly name: string;
  readonly owner: string;
}

/** Returns the indexes and triggers, each with its table or view. */
function partsOf(native: Native): Part[] {
  const query =
    "SELECT type, name, tbl_name AS owner FROM sqlite_schema WHERE type IN ('index', 'trigger') AND sql IS NOT NULL";
  return native.prepare(query).all() as Part[];
}

/** Returns an error for a lost index or trigger: DROP TABLE removes them silently. */
function lostPart(native: Native, before: readonly Part[], dropped: ReadonlySet<string>): string | undefined {
  const names = native.prepare('SELECT lower(name) FROM sqlite_schema').pluck().all() as string[];
  const isThere = (name: string) => names.includes(name.toLowerCase());
  const lost = before.find(({ name, owner }) => !isThere(name) && isThere(owner) && !dropped.has(name.toLowerCase()));
  if (!lost) return undefined;
  const { type, name, owner } = lost;
  return `after its last line: the ${type} ${name} of ${owner} is gone; create it again at the end, or drop it by name before ${owner} is dropped`;
}

const missingTable = `
  SELECT child.name AS child, key."table" AS parent FROM sqlite_schema child, pragma_foreign_key_list(child.name) key
  WHERE child.type = 'table'
    AND NOT EXISTS (SELECT 1 FROM sqlite_schema WHERE type = 'table' AND lower(name) = lower(key."table")) LIMIT 1`;

function danglingReferences(native: Native): string | undefined {
  const missing = native.prepare(missingTable).get() as { child: string; parent: string } | undefined;
  if (missing)
    return `after its last line: ${missing.child} refers to a table ${missing.parent} that does not exist; build the new table under another name, drop the old one, and rename the new one`;
  let rows: { table: string; rowid: number | null; parent: string }[];
  try {
    rows = native.pragma('foreign_key_check') as typeof rows;
  } catch (error) {
    return `after its last line: ${explain(error)}; what a foreign key refers to must be a primary key, or be unique`;
  }
  const [first] = rows;
  if (!first) return undefined;
  const { table, parent, rowid } = first;
  const which = rowid === null ? '' : ` (the first has rowid ${rowid})`;
  const count = rows.filter((each) => each.table === table && each.parent === parent).length;
  return `after its last line: ${count} rows of ${table} refer to rows of ${parent} that do not exist${which}; foreign keys are not enforced while migrations run, so change or delete these rows in the migration`;
}

/** Returns an error when SQLite can no longer read a view or trigger. It reads all of them when it renames a table. */
function brokenObject(native: Native): string | undefined {
  if (!native.prepare("SELECT 1 FROM sqlite_schema WHERE type IN ('view', 'trigger') LIMIT 1").get()) return undefined;
  native.exec('SAVEPOINT probe; CREATE TABLE kerf_probe (n)');
  try {
    native.exec('ALTER TABLE kerf_probe RENAME TO kerf_probed');
    return undefined;
  } catch (error) {
    return `after its last line: ${explain(error)}; drop what no longer fits before the change, and create it again after it`;
  } finally {
    native.exec('ROLLBACK TO probe; RELEASE probe');
  }
}
