import { Column, is, NoopLogger, Param, Placeholder, type Query } from 'drizzle-orm';
import { BetterSQLite3Database, BetterSQLiteSession, PreparedQuery } from 'drizzle-orm/better-sqlite3';
import { NoopCache } from 'drizzle-orm/cache/core';
import { type SelectedFieldsOrdered, type SQLiteExecuteMethod, SQLiteSyncDialect } from 'drizzle-orm/sqlite-core';
import type { Db } from '../../kernel/database/index.ts';

/** A compiled statement with synchronous execution. */
export interface Statement {
  run(values: readonly unknown[]): unknown;
  /** Returns the rows as objects, with the column names of the database. */
  objects(values: readonly unknown[]): SqliteRow[];
  /** Returns the rows as arrays. */
  rows(values: readonly unknown[]): unknown[][];
}

type Values = Record<string, unknown>;
export type SqliteRow = Record<string, unknown>;

/**
 * Returns Drizzle over statements that `prepare` compiles. Drizzle itself inspects each parameter and column in each execution. Here,
 * a query inspects them once, at its preparation, and an execution costs half as much. A query runs when `execute` is called.
 */
export function drizzleOver(prepare: (source: string) => Statement): Db {
  const dialect = new SQLiteSyncDialect();
  return new BetterSQLite3Database('sync', dialect, new Session(prepare, dialect), undefined) as unknown as Db;
}

class Session extends BetterSQLiteSession<Record<string, never>, Record<string, never>> {
  private readonly compile: (source: string) => Statement;

  constructor(compile: (source: string) => Statement, dialect: SQLiteSyncDialect) {
    super(undefined as never, dialect, undefined);
    this.compile = compile;
  }

  override prepareQuery(
    query: Query,
    fields: SelectedFieldsOrdered | undefined,
    method: SQLiteExecuteMethod,
    _isArray: boolean,
    mapRows?: (rows: unknown[][]) => unknown,
  ) {
    return new PlannedQuery(this.compile(query.sql), query, fields, method, mapRows) as never;
  }

  override transaction(): never {
    throw new Error('a unit of work is a transaction already: throw inside it to take back what it wrote');
  }
}

class PlannedQuery extends PreparedQuery {
  readonly #bind: (values: Values | undefined) => unknown[];
  /** Maps a row to an object. Undefined when Drizzle maps the rows, as for joins and expressions. */
  readonly #toRow: ((row: unknown[]) => SqliteRow) | undefined;
  readonly #isMapped: boolean;
  private readonly statement: Statement;
  private readonly method: SQLiteExecuteMethod;

  constructor(
    statement: Statement,
    query: Query,
    fields: SelectedFieldsOrdered | undefined,
    method: SQLiteExecuteMethod,
    mapRows: ((rows: unknown[][]) => unknown) | undefined,
  ) {
    super(
      statement as never,
      query,
      new NoopLogger(),
      new NoopCache(),
      undefined,
      undefined,
      fields,
      method,
      true,
      mapRows,
    );
    this.statement = statement;
    this.method = method;
    this.#bind = binder(query.params);
    this.#isMapped = Boolean(fields ?? mapRows);
    this.#toRow = mapRows ? undefined : rowReader(fields ?? []);
  }

  override execute(values?: Values): never {
    try {
      return Promise.resolve(this[this.method](values)) as never;
    } catch (error) {
      return Promise.reject(error) as never;
    }
  }

  override run(values?: Values): never {
    return this.statement.run(this.#bind(values)) as never;
  }

  override all(values?: Values): unknown {
    if (!this.#isMapped) return this.statement.objects(this.#bind(values));
    return this.#toRow ? this.statement.rows(this.#bind(values)).map(this.#toRow) : super.all(values);
  }

  override get(values?: Values): unknown {
    return (this.all(values) as unknown[])[0];
  }

  override values(values?: Values): unknown[][] {
    return this.statement.rows(this.#bind(values));
  }
}

/** Returns a function that binds the values of an execution to `params`, in their order. */
function binder(params: readonly unknown[]): (values: Values | undefined) => unknown[] {
  const fixed = params.map((param) => (is(param, Param) ? param.value : param));
  const slots = fixed.flatMap((value, at) => {
    const param = params[at];
    const encoder = is(param, Param) && encodes(param.encoder) ? param.encoder : undefined;
    return is(value, Placeholder) ? [{ at, name: value.name, encoder }] : [];
  });
  return (values = {}) => {
    const bound = fixed.slice();
    for (const { at, name, encoder } of slots) {
      const value = values[name];
      if (value === undefined && !(name in values)) throw new Error(`No value for placeholder "${name}" was provided`);
      bound[at] = encoder ? encoder.mapToDriverValue(value) : value;
    }
    return bound;
  };
}

/** Returns a function that converts a row to an object; undefined when a field is nested or no plain column. */
function rowReader(fields: SelectedFieldsOrdered): ((row: unknown[]) => SqliteRow) | undefined {
  const columns: { name: string; decoder: Column | undefined }[] = [];
  for (const { path, field } of fields) {
    if (path.length > 1 || !is(field, Column)) return undefined;
    columns.push({ name: path[0]!, decoder: decodes(field) ? field : undefined });
  }
  return (values) => {
    const row: SqliteRow = {};
    for (let at = 0; at < columns.length; at++) {
      const { name, decoder } = columns[at]!;
      const value = values[at];
      row[name] = decoder && value !== null ? decoder.mapFromDriverValue(value) : value;
    }
    return row;
  };
}

/** Tells whether a column encodes its values. Most columns store them unchanged. */
function encodes({ mapToDriverValue }: Pick<Column, 'mapToDriverValue'>): boolean {
  return mapToDriverValue !== Column.prototype.mapToDriverValue;
}

function decodes({ mapFromDriverValue }: Column): boolean {
  return mapFromDriverValue !== Column.prototype.mapFromDriverValue;
}
