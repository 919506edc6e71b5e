import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSqlite } from '../../adapters/sqlite/index.ts';
import type { Database, Migration } from '../database/index.ts';

/**
 * Creates one database that a test opens once for each of its processes. Their units of work take turns. Otherwise, two connections in
 * one thread would wait for each other's lock until both time out. Real processes can wait for one another.
 */
export class SharedFile {
  readonly #file = join(mkdtempSync(join(tmpdir(), 'kerf-shared-')), 'shared.db');
  readonly #open: Database[] = [];
  #turn: Promise<unknown> = Promise.resolve();
  private readonly migrations: readonly Migration[];

  constructor(migrations: readonly Migration[]) {
    this.migrations = migrations;
  }

  /** The path of the locks of the processes that have the database open. */
  get locks(): string {
    return `${this.#file}-locks`;
  }

  open(): Database {
    const database = openSqlite('shared', this.#file, [...this.migrations]);
    this.#open.push(database);
    const inTurn = <T>(task: () => Promise<T>): Promise<T> => {
      const done = this.#turn.then(task);
      this.#turn = done.catch(() => {});
      return done;
    };
    return {
      db: database.db,
      dialect: database.dialect,
      locks: database.locks,
      work: (task) => inTurn(() => database.work(task)),
      workAhead: (task) => inTurn(() => database.workAhead(task)),
      onDisk: () => database.onDisk(),
      close: () => database.close(),
    };
  }

  async close(): Promise<void> {
    await this.#turn;
    for (const database of this.#open.splice(0)) await database.close();
  }
}
