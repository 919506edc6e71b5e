import { copyFileSync, fdatasync, fstatSync, mkdtempSync, openSync, readSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { sql } from 'drizzle-orm';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Database } from '../../kernel/database/index.ts';
import { openSqlite, type SqliteDependencies } from './sqlite.ts';

const notes = { name: 'notes', sqlite: 'CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT)' };

let folder: string;
let file: string;
let now: number;
let syncs: number;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kerf-disk-'));
  file = join(folder, 'notes.db');
  [now, syncs] = [0, 0];
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

function open(sync: NonNullable<SqliteDependencies['sync']> = fdatasync): Database {
  return openSqlite('notes', file, [notes], undefined, undefined, {
    now: () => now,
    sync(log, done) {
      syncs += 1;
      sync(log, done);
    },
  });
}

/** Opens the database, and lets enough time pass without writes of other processes. */
async function openAlone(sync?: SqliteDependencies['sync']): Promise<Database> {
  const database = open(sync);
  await write(database, 0);
  now += 15_000;
  return database;
}

function write(database: Database, id: number, text = ''): Promise<void> {
  return database.work(async ({ db }) => void (await db.run(sql`insert into notes values (${id}, ${text})`)));
}

async function idsIn(database: Database): Promise<number[]> {
  return (await database.db.all<{ id: number }>(sql`select id from notes order by id`)).map(({ id }) => id);
}

/** Reads the rows that survive a power cut without any unsynced data. `copy` holds the files at the end of the last sync. */
function afterPowerCut(copy: string): number[] {
  const survivor = new Sqlite(copy);
  const ids = survivor.prepare('select id from notes order by id').pluck().all() as number[];
  survivor.close();
  return ids;
}

it('keeps confirmed commits in a power cut, and readers see only confirmed commits', async () => {
  let copies = 0;
  const copy = (n: number) => join(folder, `copy-${n}.db`);
  const database = await openAlone(async (_, done) => {
    // The disk content at the end of the sync includes all writes from before its beginning.
    for (const ending of ['', '-wal']) copyFileSync(`${file}${ending}`, `${copy(copies + 1)}${ending}`);
    await turns(3);
    copies += 1;
    done(null);
  });
  const seen = new Map<number, number[]>();
  const told: number[] = [];
  const all = Array.from({ length: 200 }, async (_, n) => {
    await turns(n);
    now += 1;
    await write(database, n + 1);
    told.push(n + 1);
  });
  while (told.length < all.length) {
    seen.set(copies, [...told, ...(await idsIn(database))]);
    await turns(1);
  }
  await database.close();
  const lost = [...seen].flatMap(([n, ids]) => {
    const kept = new Set(n === 0 ? [0] : afterPowerCut(copy(n)));
    return ids.filter((id) => !kept.has(id));
  });
  expect(lost).toEqual([]);
  expect(copies).toBeGreaterThan(5);
  expect(copies).toBeLessThan(100);
});

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
}

it('shows a commit to later units immediately, and to readers when it is on disk', async () => {
  const ends: (() => void)[] = [];
  const database = await openAlone((_, done) => void ends.push(() => done(null)));
  const first = write(database, 1);
  await expect.poll(() => ends.length).toBe(1);
  let seen: unknown;
  const second = database.work(async ({ db }) => {
    seen = await db.all(sql`select id from notes`);
    await db.run(sql`insert into notes values (2, '')`);
  });
  await expect.poll(() => seen).toEqual([{ id: 0 }, { id: 1 }]);
  expect(await idsIn(database)).toEqual([0]);
  ends.shift()!();
  await first;
  expect(await idsIn(database)).toEqual([0, 1]);
  await expect.poll(() => ends.length).toBe(1);
  ends.shift()!();
  await second;
  expect(await idsIn(database)).toEqual([0, 1, 2]);
  await database.close();
});

it('needs no sync for a unit without changes', async () => {
  const database = await openAlone();
  await database.work(async ({ db }) => void (await db.all(sql`select id from notes`)));
  expect(syncs).toBe(0);
  await write(database, 1);
  expect(syncs).toBe(1);
  await database.close();
});

it('syncs within the commit while another process writes, and for 15 s afterwards', async () => {
  const database = await openAlone();
  await write(database, 1);
  expect(syncs).toBe(1);
  const other = open();
  await write(other, 2);
  await write(database, 3);
  now += 14_999;
  await write(database, 4);
  expect(syncs).toBe(1);
  now += 1;
  await write(database, 5);
  expect(syncs).toBe(2);
  await Promise.all([database.close(), other.close()]);
});

it('checkpoints its log into the database under constant writes', async () => {
  const database = await openAlone();
  const frames = () => new Sqlite(file, { readonly: true }).pragma('wal_checkpoint(NOOP)') as { log: number }[];
  const text = 'x'.repeat(4_000);
  let id = 0;
  const writers = Array.from({ length: 20 }, async () => {
    while (id < 8_000) await write(database, ++id, text);
  });
  await Promise.all(writers);
  expect(frames()[0]!.log).toBeLessThan(8_000);
  await database.close();
});

/** Writes until the write-ahead log is long enough to be copied into the database. */
async function writeLong(database: Database): Promise<void> {
  const text = 'x'.repeat(4_000);
  for (let id = 1; id <= 30; id++)
    await database.work(async ({ db }) => {
      for (let row = 0; row < 100; row++) await db.run(sql`insert into notes values (${id * 1_000 + row}, ${text})`);
    });
}

function isSyncOf(path: string, descriptor: number): boolean {
  return fstatSync(descriptor).ino === statSync(path).ino;
}

function saltOfLog(): string {
  const [bytes, descriptor] = [Buffer.alloc(8), openSync(`${file}-wal`, 'r')];
  readSync(descriptor, bytes, 0, 8, 16);
  return bytes.toString('hex');
}

it('overwrites no log before the database into which it was copied is on disk', async () => {
  const ends: (() => void)[] = [];
  const database = await openAlone((descriptor, done) => {
    if (isSyncOf(file, descriptor)) ends.push(() => done(null));
    else done(null);
  });
  const before = saltOfLog();
  const writing = writeLong(database);
  await expect.poll(() => ends.length).toBe(1);
  const other = new Sqlite(file, { timeout: 0 });
  expect(() => other.exec('BEGIN IMMEDIATE')).toThrow('database is locked');
  other.close();
  expect(saltOfLog()).toBe(before);
  ends.shift()!();
  await writing;
  await write(database, 1);
  expect(saltOfLog()).not.toBe(before);
  await database.close();
});

it('begins no unit after the disk has refused a database into which a log was copied', async () => {
  const database = await openAlone((descriptor, done) =>
    done(isSyncOf(file, descriptor) ? new Error('EIO: planted') : null),
  );
  await expect(writeLong(database)).rejects.toThrow('planted');
  await expect(write(database, 1)).rejects.toThrow('planted');
  expect(await idsIn(database)).not.toContain(1);
  await expect(database.close()).rejects.toThrow('planted');
});

it('overwrites no log that another process has copied into the database, before the database is on disk', async () => {
  const logs: string[] = [];
  const database = open((descriptor, done) => {
    if (isSyncOf(file, descriptor)) logs.push(saltOfLog());
    done(null);
  });
  await write(database, 0);
  const killed = new Sqlite(file);
  killed.exec('insert into notes values (1, null)');
  killed.pragma('synchronous = OFF');
  expect(killed.pragma('wal_checkpoint(PASSIVE)')).toMatchObject([{ busy: 0 }]);
  const copied = saltOfLog();
  await write(database, 2);
  expect(logs).toEqual([copied]);
  expect(saltOfLog()).not.toBe(copied);
  await write(database, 3);
  expect(logs).toHaveLength(1);
  killed.close();
  await database.close();
});
