import { closeSync, mkdirSync, openSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import type { ProcessLocks } from '../../kernel/database/index.ts';

type Native = InstanceType<typeof Sqlite>;

/**
 * Locks as files in `folder`. SQLite holds them with the same locks of the operating system that guard the data beside them: they work
 * wherever the data does, and every process that shares the folder sees them, whatever its PID namespace or container.
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
    // Nothing is ever written: the file stays empty, and needs no journal beside it.
    native.pragma('journal_mode = MEMORY');
    native.exec('BEGIN EXCLUSIVE');
    return native;
  } catch (error) {
    native.close();
    throw error;
  }
}

/** Undefined where there is no file to ask, or it cannot be asked. */
function isLocked(path: string): boolean | undefined {
  let native: Native | undefined;
  try {
    native = new Sqlite(path, { readonly: true, fileMustExist: true, timeout: 0 });
    native.pragma('schema_version');
    return false;
  } catch (error) {
    return (error as { code?: string }).code?.startsWith('SQLITE_BUSY') ? true : undefined;
  } finally {
    native?.close();
  }
}

/** One that cannot be removed is in nobody's way. */
function remove(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {}
}
