import { integer, sqliteTable, text } from 'drizzle-orm/sqlite-core';
import type { Db, Dialect, Reader } from './database.ts';

/**
 * The columns modules may use: those that every dialect stores alike. Times are ISO 8601 text (or milliseconds, as an
 * integer); amounts are integers.
 */
const sqlite = {
  table: sqliteTable,
  text: (name: string) => text(name),
  integer: (name: string) => integer(name, { mode: 'number' }),
  json: <T>(name: string) => text(name, { mode: 'json' }).$type<T>(),
};

export type Kit = typeof sqlite;

/** A module's tables, as the dialect of the unit or reader at hand wants them: `const { orders } = tables(unit)`. */
export type Tables<T> = (reader: { readonly dialect: Dialect }) => T;

export function defineTables<T extends object>(build: (kit: Kit) => T): Tables<T> {
  const built = new Map<Dialect, T>();
  return ({ dialect }) => {
    const known = built.get(dialect);
    if (known) return known;
    const made = build(sqlite);
    built.set(dialect, made);
    return made;
  };
}

/**
 * A query that is built once per connection instead of once per call (about 20 times cheaper). Values come in by
 * `sql.placeholder('name')`.
 */
export function prepared<Q>(build: (reader: Reader) => Q): (reader: Reader) => Q {
  const known = new WeakMap<Db, Q>();
  return (reader) => {
    let query = known.get(reader.db);
    if (query === undefined) {
      query = build(reader);
      known.set(reader.db, query);
    }
    return query;
  };
}
