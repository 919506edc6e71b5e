import type Sqlite from 'better-sqlite3';
import type { Migration } from './database.ts';

/** Applies what this database has not seen yet, each migration in a transaction with its own record. */
export function applyMigrations(native: InstanceType<typeof Sqlite>, migrations: Migration[]): void {
  native.exec('CREATE TABLE IF NOT EXISTS kerf_migrations (name TEXT PRIMARY KEY, applied_at TEXT NOT NULL)');
  const applied = new Set(native.prepare('SELECT name FROM kerf_migrations').pluck().all());
  const record = native.prepare("INSERT INTO kerf_migrations VALUES (?, strftime('%Y-%m-%dT%H:%M:%fZ'))");
  const apply = native.transaction((migration: Migration) => {
    native.exec(migration.sqlite);
    record.run(migration.name);
  });
  for (const migration of migrations) if (!applied.has(migration.name)) apply.immediate(migration);
}
