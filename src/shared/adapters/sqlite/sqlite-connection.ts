import type Sqlite from 'better-sqlite3';
import type { Db } from '../../kernel/database/index.ts';
import { drizzleOver, type SqliteRow, type Statement } from './sqlite-session.ts';

type Native = InstanceType<typeof Sqlite>;

/** Guards statements. `check` runs before each execution; `failed` maps the error of an execution for its caller. */
export interface Guard {
  check(writes: boolean): void;
  failed(error: unknown): unknown;
}

/**
 * Returns Drizzle over one SQLite connection. Compiles each statement text once. Each execution asks `guard` first, so that no
 * query can write outside a unit of work, however it got the connection.
 */
export function connect(native: Native, guard: Guard): Db {
  const statements = new Map<string, GuardedStatement>();
  return drizzleOver((source) => {
    let statement = statements.get(source);
    if (!statement) {
      if (statements.size >= 500) statements.clear();
      statement = compiled(native, source, guard);
      statements.set(source, statement);
    }
    return statement;
  });
}

/** Compiles a statement. `guard` maps errors, because the first compilation reads the database file. */
function compiled(native: Native, source: string, guard: Guard): GuardedStatement {
  try {
    return new GuardedStatement(native, source, guard);
  } catch (error) {
    throw guard.failed(error);
  }
}

class GuardedStatement implements Statement {
  readonly #guard: Guard;
  readonly #statement: Sqlite.Statement;
  readonly #writes: boolean;
  #isRaw = false;

  constructor(native: Native, source: string, guard: Guard) {
    this.#guard = guard;
    this.#statement = native.prepare(plannedOnce(source));
    this.#writes = !this.#statement.readonly;
  }

  run(values: readonly unknown[]): Sqlite.RunResult {
    this.#guard.check(this.#writes);
    try {
      return this.#statement.run(...values);
    } catch (error) {
      throw this.#guard.failed(error);
    }
  }

  objects(values: readonly unknown[]): SqliteRow[] {
    return this.#all(values, false) as SqliteRow[];
  }

  rows(values: readonly unknown[]): unknown[][] {
    return this.#all(values, true) as unknown[][];
  }

  #all(values: readonly unknown[], raw: boolean): unknown[] {
    this.#guard.check(this.#writes);
    try {
      if (raw !== this.#isRaw) this.#statement.raw(raw);
      this.#isRaw = raw;
      return this.#statement.all(...values);
    } catch (error) {
      throw this.#guard.failed(error);
    }
  }
}

/** Hides a bare `limit ?` from the planner: SQLite would plan the query again for each bound value, at ten times the cost. */
function plannedOnce(source: string): string {
  return source.replace(/ limit \?/g, ' limit +?');
}
