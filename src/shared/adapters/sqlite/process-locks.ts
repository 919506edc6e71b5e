import { closeSync, mkdirSync, openSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import type { ProcessLocks } from '../../kernel/database/index.ts';
import { errorCode } from '../../kernel/errors/index.ts';

type Native = InstanceType<typeof Sqlite>;

/**
 * Keeps locks as files in `folder`. SQLite holds them with the same locks of the operating system that guard the data beside them.
 * They work wherever the data works. Every process that shares the folder sees them, in any PID namespace or container.
 */
export function fileLocks(folder: string): ProcessLocks {
  const held = new Map<string, Native>();
  const pathOf = (name: string) => join(folder, name);
  return {
    hold(name) {
      if (!held.has(name)) held.set(name, lock(folder, pathOf(name)));
    },
    isHeld: (name) => held.has(name) || isLocked(pathOf(name)),
    release(name) {
      held.get(name)?.close();
      held.delete(name);
      remove(pathOf(name));
    },
    forget(names) {
      for (const name of names) if (!held.has(name)) remove(pathOf(name));
    },
  };
}

function lock(folder: string, path: string): Native {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  closeSync(openSync(path, 'a', 0o600));
  const native = new Sqlite(path, { timeout: 0 });
  try {
    // SQLite never writes the file: it stays empty, and needs no journal file.
    native.pragma('journal_mode = MEMORY');
    native.exec('BEGIN EXCLUSIVE');
    return native;
  } catch (error) {
    native.close();
    throw error;
  }
}

/** Tells whether a process holds the lock. Returns undefined when the file is missing or cannot be read. */
function isLocked(path: string): boolean | undefined {
  let native: Native | undefined;
  try {
    native = new Sqlite(path, { readonly: true, fileMustExist: true, timeout: 0 });
    native.pragma('schema_version');
    return false;
  } catch (error) {
    return errorCode(error)?.startsWith('SQLITE_BUSY') ? true : undefined;
  } finally {
    native?.close();
  }
}

/** Removes a lock file. Ignores errors, because a leftover file does no harm. */
function remove(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {}
}
