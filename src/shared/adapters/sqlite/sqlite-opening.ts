import { chmodSync, closeSync, existsSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import Sqlite from 'better-sqlite3';
import type { Migration } from '../../kernel/database/index.ts';
import { errorCode, StartError } from '../../kernel/errors/index.ts';
import { applyMigrations, breakingMigration } from './migrations.ts';

type Native = InstanceType<typeof Sqlite>;

const openWithinMs = 5_000;
const againMs = 20;

/**
 * Opens the file with all migrations applied, after `check` has passed. A migration that may break other processes waits until no
 * other process has the database open: only then can SQLite leave WAL mode. A waiting process keeps no connection, so that one of
 * several starting processes can go first.
 */
export function openMigrated(file: string, migrations: readonly Migration[], check: (writer: Native) => void): Native {
  for (const end = performance.now() + openWithinMs; ; pause(againMs * (1 + Math.random()))) {
    const writer = openWriter(file);
    try {
      check(writer);
      const breaking = breakingMigration(writer, migrations);
      if (breaking === undefined) setUp(writer);
      if (breaking === undefined || leavesWal(writer)) {
        applyMigrations(writer, migrations);
        if (breaking !== undefined) setUp(writer);
        return writer;
      }
      if (performance.now() > end)
        throw new StartError(
          `another process has it open, and migration "${breaking}" is not marked as expand; stop the processes of the release before first`,
        );
    } catch (error) {
      writer.close();
      throw error;
    }
    writer.close();
  }
}

function leavesWal(writer: Native): boolean {
  writer.pragma('busy_timeout = 0');
  try {
    writer.pragma('journal_mode = DELETE');
    return true;
  } catch (error) {
    if (!isBusy(error)) throw error;
    return false;
  } finally {
    writer.pragma('busy_timeout = 5000');
  }
}

function openWriter(file: string): Native {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  if (!existsSync(file)) closeSync(openSync(file, 'a', 0o600));
  else chmodSync(file, 0o600);
  return new Sqlite(file, { timeout: 5_000 });
}

function setUp(writer: Native): void {
  // Affects only a new file. A commit writes whole pages for a few small rows, so the default of 4 kB would double the disk writes.
  writer.pragma('page_size = 2048');
  untilFree(() => writer.pragma('journal_mode = WAL'));
  writer.pragma('synchronous = FULL');
  writer.pragma('foreign_keys = ON');
  // Temporary files for savepoints and RETURNING would cost more than the insert itself.
  writer.pragma('temp_store = MEMORY');
}

/**
 * Retries a change that SQLite refuses at once while another process holds the file, regardless of the busy timeout. Blocks the
 * thread meanwhile. Throws after 5 s.
 */
export function untilFree(change: () => unknown): void {
  for (const end = performance.now() + openWithinMs; ; ) {
    try {
      change();
      return;
    } catch (error) {
      if (!isBusy(error) || performance.now() > end) throw error;
      pause(againMs);
    }
  }
}

function isBusy(error: unknown): boolean {
  return errorCode(error) === 'SQLITE_BUSY';
}

function pause(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
