import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { saltIn } from './sqlite-files.ts';
import { WalIndex } from './wal-index.ts';

let folder: string;
let file: string;
let native: InstanceType<typeof Sqlite>;
let index: WalIndex;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kerf-wal-index-'));
  file = join(folder, 'shop.db');
  native = open();
  native.exec('CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT)');
  index = new WalIndex(`${file}-shm`, () => void asSqliteSays());
});

afterEach(() => {
  native.close();
  index.close();
  rmSync(folder, { recursive: true, force: true });
});

function open() {
  const opened = new Sqlite(file);
  opened.pragma('journal_mode = WAL');
  opened.pragma('wal_autocheckpoint = 0');
  return opened;
}

/** Returns the state of the log according to SQLite itself. */
function asSqliteSays() {
  const [row] = native.pragma('wal_checkpoint(NOOP)') as { log: number; checkpointed: number }[];
  return { frames: row!.log, copied: row!.checkpointed, salt: saltIn(`${file}-wal`) };
}

const write = (connection = native) => void connection.exec("INSERT INTO notes (text) VALUES ('x')");

it("matches SQLite's own state while the log grows, is checkpointed and restarts", () => {
  for (let round = 0; round < 3; round++) {
    for (let commits = 0; commits < 5; commits++) {
      write();
      expect(index.read()).toMatchObject(asSqliteSays());
    }
    native.pragma('wal_checkpoint(PASSIVE)');
    expect(index.read()).toMatchObject(asSqliteSays());
    expect(index.read().copied).toBe(index.read().frames);
  }
});

it('covers only committed data, also during a transaction', () => {
  write();
  const before = index.read();
  native.exec('BEGIN IMMEDIATE');
  write();
  expect(index.read()).toEqual(before);
  native.exec('COMMIT');
  expect(index.read().frames).toBeGreaterThan(before.frames);
});

it('changes only with commits, of any process', () => {
  const other = open();
  write();
  const before = index.read().change;
  native.prepare('SELECT * FROM notes').all();
  other.prepare('SELECT * FROM notes').all();
  native.pragma('wal_checkpoint(PASSIVE)');
  expect(index.read().change).toBe(before);
  write(other);
  const after = index.read().change;
  expect(after).not.toBe(before);
  write();
  expect(index.read().change).not.toBe(after);
  other.close();
});

it('counts one change for each commit', () => {
  write();
  const { change } = index.read();
  native.exec("BEGIN IMMEDIATE; UPDATE notes SET text = 'y'");
  for (let rows = 0; rows < 2_000; rows++) native.exec(`INSERT INTO notes (text) VALUES ('${'x'.repeat(2_000)}')`);
  native.exec('COMMIT');
  expect(index.read().change).toBe(change + 1);
});

it('lets SQLite rebuild it when a process died while writing it', () => {
  write();
  const before = index.read();
  const descriptor = openSync(`${file}-shm`, 'r+');
  writeSync(descriptor, Buffer.alloc(48), 0, 48, 48);
  expect(index.read()).toMatchObject({ frames: before.frames, salt: before.salt });
  closeSync(descriptor);
});

it('throws for an invalid index', () => {
  const wrong = join(folder, 'wrong');
  for (const content of ['', 'x'.repeat(200)]) {
    writeFileSync(wrong, content);
    expect(() => new WalIndex(wrong, () => {}).read()).toThrow(`${wrong} is no index of a write-ahead log`);
  }
  expect(() => new WalIndex(join(folder, 'missing'), () => {}).read()).toThrow('ENOENT');
});
