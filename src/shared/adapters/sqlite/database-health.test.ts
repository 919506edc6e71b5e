import {
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { sql } from 'drizzle-orm';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Database, probeWrite } from '../../kernel/database/index.ts';
import { DatabaseRecords } from '../../kernel/database-engine/index.ts';
import { NotWritten } from '../../kernel/errors/index.ts';
import type { Log } from '../../kernel/telemetry/index.ts';
import { openSqlite } from './sqlite.ts';

const migrations = [{ name: '0001', sqlite: 'CREATE TABLE orders (id INTEGER PRIMARY KEY, note TEXT)' }];

let folder: string;
let file: string;
let now: number;
let said: { why: string }[];
let database: Database;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'kerf-health-'));
  file = join(folder, 'shop.db');
  [now, said] = [0, []];
  database = open();
  for (let order = 0; order < 40; order++) await write();
  // Half of the data is in the file, half in the log.
  const other = new Sqlite(file);
  other.pragma('wal_checkpoint(PASSIVE)');
  other.close();
  now += 1_000;
  for (let order = 0; order < 40; order++) await write();
});
afterEach(async () => {
  await database.close().catch(() => {});
  rmSync(folder, { recursive: true, force: true });
});

function open(): Database {
  const log = { error: (about: { why: string }) => void said.push(about) } as unknown as Log;
  return openSqlite('shop', file, migrations, log, new DatabaseRecords(folder, true), { now: () => now });
}

const write = () =>
  database.work(async ({ db }) => void (await db.run(sql`INSERT INTO orders (note) VALUES (${'x'.repeat(1_000)})`)));
const read = () => database.db.all(sql`SELECT note FROM orders`);

/** A second later, asks the database; returns the reason that operators see, or that it succeeded. */
async function outcomeOf(task: () => Promise<unknown>): Promise<string> {
  now += 1_000;
  try {
    await task();
    return 'done';
  } catch (error) {
    for (let cause = error; cause instanceof Error; cause = cause.cause)
      if (cause instanceof NotWritten) return (cause.cause as Error).message;
    throw error;
  }
}

function overwrite(path: string, at: number, bytes: number): void {
  const descriptor = openSync(path, 'r+');
  writeSync(descriptor, Buffer.alloc(bytes), 0, bytes, at);
  closeSync(descriptor);
}

describe('a file damaged while it is open', () => {
  it.each<[string, string, () => void]>([
    ['the database, emptied', 'it was cut off', () => truncateSync(file, 0)],
    ['the database, truncated', 'it was cut off', () => truncateSync(file, 8_192)],
    ['the database, overwritten', 'it was overwritten', () => overwrite(file, 0, statSync(file).size)],
    ['the log, emptied', 'its write-ahead log .*-wal was cut off', () => truncateSync(`${file}-wal`, 0)],
    ['the log, truncated', 'its write-ahead log .*-wal was cut off', () => truncateSync(`${file}-wal`, 32 + 4_120)],
    ['the log, overwritten', 'its write-ahead log .*-wal was overwritten', () => overwrite(`${file}-wal`, 0, 32)],
  ])('%s: refuses writes until it is restored, and prevents the next start', async (_, what, damage) => {
    damage();
    const why = new RegExp(`shop.db took no write: ${what} while it was open; stop Kerf and restore the data`);
    expect(await outcomeOf(() => probeWrite(database))).toMatch(why);
    now += 60_000;
    expect(await outcomeOf(write)).toMatch(why);
    expect(said).toEqual([{ module: 'shop', file, why: expect.stringMatching(what) }]);
    await database.close();
    for (let time = 0; time < 2; time++)
      expect(open).toThrow(new RegExp(`(${what} while it was open|is damaged).*; restore it from.*--accept-loss shop`));
  });

  it('is detected at the close, before SQLite writes the missing pages from memory', async () => {
    await write();
    truncateSync(file, 8_192);
    await database.close();
    expect(open).toThrow(/it was cut off while it was open/);
  });

  it('is detected when a damaged page is read, and then refuses writes', async () => {
    await database.close();
    database = open();
    for (let page = 1; page < statSync(file).size / 2_048; page++) overwrite(file, page * 2_048, 2_048);
    const why = /took no write: (it|the file) is damaged/;
    expect(await outcomeOf(read)).toMatch(why);
    expect(await outcomeOf(write)).toMatch(why);
    now += 60_000;
    expect(await outcomeOf(() => probeWrite(database))).toMatch(why);
    await database.close();
    expect(open).toThrow(/is damaged/);
    expect(new DatabaseRecords(folder, true).of('shop')).toMatchObject({
      lost: expect.stringMatching(/it is damaged \(database disk image is malformed\)/),
    });
  });
});

describe('a file removed or replaced while it is open', () => {
  it.each([
    ['', 'it'],
    ['-wal', 'its write-ahead log .*-wal'],
    ['-shm', 'its index .*-shm'],
  ])('shop.db%s: refuses writes until it is back', async (ending, name) => {
    const path = `${file}${ending}`;
    const why = new RegExp(`took no write: ${name} was removed or replaced; put it back and restart`);
    renameSync(path, `${path}-away`);
    expect(await outcomeOf(write)).toMatch(why);
    copyFileSync(`${path}-away`, path);
    expect(await outcomeOf(write)).toMatch(why);
    renameSync(`${path}-away`, path);
    expect(await outcomeOf(write)).toBe('done');
    expect(said).toEqual([]);
  });

  it('refuses writes also when its folder is removed', async () => {
    renameSync(folder, `${folder}-away`);
    expect(await outcomeOf(write)).toMatch(/it was removed or replaced/);
    renameSync(`${folder}-away`, folder);
    expect(await outcomeOf(write)).toBe('done');
    rmSync(folder, { recursive: true });
    mkdirSync(folder);
    expect(await outcomeOf(() => probeWrite(database))).toMatch(/it was removed or replaced/);
    expect(existsSync(file)).toBe(false);
  });
});

it('a regular VACUUM and checkpoint do not count as damage', async () => {
  await database.work(async ({ db }) => void (await db.run(sql`DELETE FROM orders`)));
  expect(await outcomeOf(write)).toBe('done');
  const size = statSync(file).size;
  const other = new Sqlite(file);
  now += 15_000;
  other.exec('VACUUM');
  other.pragma('wal_checkpoint(TRUNCATE)');
  other.close();
  expect([statSync(file).size < size, statSync(`${file}-wal`).size]).toEqual([true, 0]);
  expect(await outcomeOf(write)).toBe('done');
  expect(await outcomeOf(write)).toBe('done');
  await database.close();
  database = open();
  expect(await database.db.all(sql`SELECT 1 FROM orders`)).toHaveLength(3);
});
