import type Sqlite from 'better-sqlite3';
import type { Db } from '../../kernel/database/index.ts';
import { drizzleOver, type SqliteRow, type Statement } from './sqlite-session.ts';

type Native = InstanceType<typeof Sqlite>;

/** Asked before each execution, and told when one fails; returns the error that its caller receives. */
export interface Guard {
  check(writes: boolean): void;
  failed(error: unknown): unknown;
}

/**
 * Drizzle over one SQLite connection. Statements are compiled once per text, and each execution asks `guard` first, so
 * that nothing is written outside a unit of work, however the query got hold of the connection.
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

/** SQLite reads the file for it, at first. */
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

/** SQLite looks at the value of a bare `limit ?` and plans the query anew whenever one is bound: at ten times its cost. */
function plannedOnce(source: string): string {
  return source.replace(/ limit \?/g, ' limit +?');
}
