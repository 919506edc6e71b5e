import type Sqlite from 'better-sqlite3';
import { drizzle } from 'drizzle-orm/better-sqlite3';
import type { Db } from './database.ts';

type Native = InstanceType<typeof Sqlite>;

/** Asked before each execution, and told when one fails. */
export interface Guard {
  check(): void;
  failed(): void;
}

/**
 * Drizzle over one SQLite connection. Statements are compiled once per text, and each execution asks `guard` first, so
 * that nothing is written outside a unit of work, however the query got hold of the connection.
 */
export function connect(native: Native, guard: Guard): Db {
  const statements = new Map<string, GuardedStatement>();
  const client = {
    prepare(source: string) {
      let statement = statements.get(source);
      if (!statement) {
        if (statements.size >= 500) statements.clear();
        statement = new GuardedStatement(native, source, guard);
        statements.set(source, statement);
      }
      return statement;
    },
  };
  return drizzle(client as unknown as Native) as unknown as Db;
}

class GuardedStatement {
  readonly #native: Native;
  readonly #source: string;
  readonly #guard: Guard;
  readonly #statement: Sqlite.Statement;
  #raw: GuardedStatement | undefined;

  constructor(native: Native, source: string, guard: Guard, raw = false) {
    this.#native = native;
    this.#source = source;
    this.#guard = guard;
    this.#statement = native.prepare(plannedOnce(source));
    if (raw) this.#statement.raw(true);
  }

  run(...values: unknown[]) {
    return this.#execute('run', values);
  }

  all(...values: unknown[]) {
    return this.#execute('all', values);
  }

  get(...values: unknown[]) {
    return this.#execute('get', values);
  }

  #execute(how: 'run' | 'all' | 'get', values: unknown[]) {
    this.#guard.check();
    try {
      return this.#statement[how](...values);
    } catch (error) {
      this.#guard.failed();
      throw error;
    }
  }

  raw(): GuardedStatement {
    this.#raw ??= new GuardedStatement(this.#native, this.#source, this.#guard, true);
    return this.#raw;
  }
}

/** SQLite looks at the value of a bare `limit ?` and plans the query anew whenever one is bound: at ten times its cost. */
function plannedOnce(source: string): string {
  return source.replace(/ limit \?/g, ' limit +?');
}
