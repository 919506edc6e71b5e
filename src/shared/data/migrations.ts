import type Sqlite from 'better-sqlite3';
import type { Migration } from './database.ts';

/** Applies what this database has not seen yet, each migration in a transaction with its own record. */
export function applyMigrations(native: InstanceType<typeof Sqlite>, migrations: Migration[]): void {
  native.exec('CREATE TABLE IF NOT EXISTS kerf_migrations (name TEXT PRIMARY KEY, applied_at TEXT NOT NULL)');
  const known = native.prepare('SELECT 1 FROM kerf_migrations WHERE name = ?').pluck();
  const record = native.prepare("INSERT INTO kerf_migrations VALUES (?, strftime('%Y-%m-%dT%H:%M:%fZ'))");
  const apply = native.transaction((migration: Migration) => {
    // Another process may have been first.
    if (known.get(migration.name)) return;
    native.exec(migration.sqlite);
    record.run(migration.name);
  });
  for (const migration of migrations) if (!known.get(migration.name)) apply.immediate(migration);
}
