import {
  closeSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { afterAll, describe, expect, it } from 'vitest';
import type { Database } from '../../kernel/database/index.ts';
import { DatabaseRecords, joinSystem, stateOf } from '../../kernel/database-engine/index.ts';
import { silentLog } from '../../kernel/telemetry/index.ts';
import { openSqlite } from './sqlite.ts';

const root = mkdtempSync(join(tmpdir(), 'kerf-identity-'));
afterAll(() => rmSync(root, { recursive: true }));
const migrations = [{ name: '0001', sqlite: 'CREATE TABLE orders (id INTEGER PRIMARY KEY, note TEXT)' }];

/** A data folder and the module "shop" in it. */
class Folder {
  readonly path = mkdtempSync(join(root, 'data-'));
  readonly file = join(this.path, 'shop.db');
  readonly wal = `${this.file}-wal`;

  get records(): DatabaseRecords {
    return new DatabaseRecords(this.path, true);
  }

  open(module = 'shop'): Database {
    return openSqlite(module, this.file, migrations, silentLog, this.records);
  }

  why(module?: string): string {
    try {
      void this.open(module).close();
      return 'it was opened';
    } catch (error) {
      return (error as Error).message;
    }
  }

  /** Leaves the files as after a crash: in their state while a process has them open. The record covers the first `seen` orders. */
  async crashAfter(orders: number, seen = orders): Promise<this> {
    const database = this.open();
    for (let order = 1; order <= orders; order++) {
      await write(database);
      if (order === seen) this.records.see(await stateOf(database));
    }
    const aside = mkdtempSync(join(root, 'aside-'));
    cpSync(this.path, aside, { recursive: true });
    await database.close();
    rmSync(this.path, { recursive: true });
    cpSync(aside, this.path, { recursive: true });
    return this;
  }

  async orders(): Promise<number> {
    const database = this.open();
    const rows = await database.db.all('SELECT 1 FROM orders');
    await database.close();
    return rows.length;
  }
}

const write = (database: Database) =>
  database.work(async (unit) => void (await unit.db.run("INSERT INTO orders (note) VALUES ('x')")));

const pageBytes = 2_048;
const frameBytes = pageBytes + 24;
const framesIn = (file: string) => (statSync(file).size - 32) / frameBytes;
/** Overwrites the bytes of a file from position `at`. */
function damage(file: string, at: number, bytes = Buffer.from('damaged')): void {
  const descriptor = openSync(file, 'r+');
  writeSync(descriptor, bytes, 0, bytes.length, at);
  closeSync(descriptor);
}

describe('a database', () => {
  it('records its system and module, and counts the commits with changes', async () => {
    const folder = new Folder();
    const database = folder.open();
    const before = await stateOf(database);
    expect(before).toEqual({ system: folder.records.system, module: 'shop', id: expect.any(String), commits: 0 });
    await Promise.all([write(database), write(database)]);
    await write(database);
    await database.work(async (unit) => void (await unit.db.all('SELECT 1 FROM orders')));
    await database.work(() => Promise.reject(new Error('no'))).catch(() => {});
    expect(await stateOf(database)).toEqual({ ...before, commits: 2 });
    await database.close();
  });

  it('joins a system on request', async () => {
    const folder = new Folder();
    const records = new DatabaseRecords(folder.path, false);
    const database = openSqlite('shop', folder.file, migrations, silentLog, records);
    expect([(await stateOf(database)).system, records.system]).toEqual([null, undefined]);
    await joinSystem(database, 'ea4a5e55-7f7b-4b0e-9d3a-111111111111');
    expect((await stateOf(database)).system).toBe('ea4a5e55-7f7b-4b0e-9d3a-111111111111');
    await database.close();
  });

  it('from a release without identities is opened, and gets one', async () => {
    const folder = new Folder();
    const native = new Sqlite(folder.file);
    native.exec(`${migrations[0]!.sqlite}; INSERT INTO orders VALUES (1, 'old');
      CREATE TABLE kerf_migrations (name TEXT PRIMARY KEY, applied_at TEXT NOT NULL); INSERT INTO kerf_migrations VALUES ('0001', '')`);
    native.close();
    expect(await folder.orders()).toBe(1);
    expect(folder.records.of('shop')).toMatchObject({ commits: 0 });
  });

  it('is recovered silently after a crash', async () => {
    expect(await (await new Folder().crashAfter(5)).orders()).toBe(5);
  });
});

describe('lost data prevents the start, until it is accepted by name', () => {
  it.each<[string, RegExp, number, (folder: Folder) => void]>([
    [
      'a missing file',
      /it is missing: commit 5 was seen at 20.*restore it.*--accept-loss shop/,
      0,
      ({ file, wal }) => {
        rmSync(file);
        rmSync(wal);
      },
    ],
    ['a missing file with an existing log', /it is missing: commit 5/, 0, ({ file }) => rmSync(file)],
    ['an empty file', /it is missing: commit 5/, 0, ({ file }) => writeFileSync(file, '')],
    [
      'a missing log',
      /is another database than the one of which commit 5|its last commits are missing/,
      0,
      ({ wal }) => rmSync(wal),
    ],
    [
      'a truncated log',
      /it ends with commit 3, and commit 5 was seen/,
      3,
      ({ wal }) => {
        // A commit consists of two pages: the page of its row and the page of the counter.
        truncateSync(wal, 32 + (framesIn(wal) - 4) * frameBytes);
      },
    ],
    [
      'a log damaged in the middle',
      /write-ahead log .*shop\.db-wal is damaged \(frame \d+ of \d+\)/,
      2,
      ({ wal }) => damage(wal, 32 + (framesIn(wal) - 6) * frameBytes + 100),
    ],
    [
      'a log with a frame without its salt',
      /is damaged \(frame/,
      2,
      ({ wal }) => damage(wal, 32 + (framesIn(wal) - 6) * frameBytes + 8),
    ],
    ['a log with a damaged header', /is damaged \(its header\)/, 0, ({ wal }) => damage(wal, 16)],
    [
      'a log with a damaged last commit',
      /it ends with commit 4, and commit 5 was seen/,
      4,
      ({ wal }) => damage(wal, 32 + (framesIn(wal) - 1) * frameBytes + 100),
    ],
  ])('%s', async (_, message, left, lose) => {
    const folder = await new Folder().crashAfter(5);
    lose(folder);
    for (let time = 0; time < 2; time++) expect(folder.why()).toMatch(message);
    folder.records.accept('shop');
    expect(await folder.orders()).toBe(left);
    expect(await folder.orders()).toBe(left);
  });

  it('an older copy', async () => {
    const folder = new Folder();
    for (const copied of [false, true]) {
      const database = folder.open();
      await write(database);
      folder.records.see(await stateOf(database));
      await database.close();
      if (!copied) copyFileSync(folder.file, `${folder.file}.copy`);
    }
    copyFileSync(`${folder.file}.copy`, folder.file);
    expect(folder.why()).toMatch(/it ends with commit 1, and commit 2 was seen/);
  });

  it('a newly created file', async () => {
    const folder = await new Folder().crashAfter(1);
    const other = await new Folder().crashAfter(9);
    other.records.setSystem(folder.records.system!);
    new Sqlite(other.file).exec(`UPDATE kerf_identity SET system = '${folder.records.system}'`).close();
    rmSync(folder.wal);
    copyFileSync(other.file, folder.file);
    expect(folder.why()).toMatch(/it is another database than the one of which commit 1 was seen/);
  });

  it('the data of another system', async () => {
    const [one, other] = [await new Folder().crashAfter(1), await new Folder().crashAfter(1)];
    rmSync(join(one.path, 'records'), { recursive: true });
    for (const end of ['', '-wal']) copyFileSync(`${other.file}${end}`, `${one.file}${end}`);
    expect(one.why()).toMatch(/it belongs to another system.*--accept-loss shop/);
    one.records.accept('shop');
    expect(await one.orders()).toBe(1);
    expect(await one.orders()).toBe(1);
  });

  it('withdraws an accepted loss when the start fails for another reason', async () => {
    const folder = await new Folder().crashAfter(5);
    const before = folder.records.of('shop');
    const records = folder.records;
    records.accept('shop');
    records.accept('bar');
    records.withdraw();
    expect([folder.records.of('shop'), folder.records.of('bar')]).toEqual([before, undefined]);
    records.accept('shop');
    await folder.orders();
    const used = folder.records.of('shop');
    records.withdraw();
    expect(folder.records.of('shop')).toEqual(used);
  });

  it('the data of another module, which is never accepted', async () => {
    const folder = await new Folder().crashAfter(1);
    expect(folder.why('bar')).toMatch(/it is the data of "shop"; put the file of "bar" there/);
    folder.records.accept('bar');
    expect(folder.why('bar')).toMatch(/it is the data of "shop"/);
  });

  it('a damaged page, after a crash', async () => {
    const folder = new Folder();
    const database = folder.open();
    for (let order = 0; order < 3; order++) await write(database);
    await database.close();
    const other = await folder.crashAfter(1);
    damage(other.file, pageBytes * 2, Buffer.alloc(pageBytes, 'x'));
    expect(other.why()).toMatch(/damaged/);
  });

  it('a file truncated while no process ran', async () => {
    const folder = new Folder();
    const database = folder.open();
    await write(database);
    await database.close();
    truncateSync(folder.file, pageBytes);
    expect(folder.why()).toMatch(/damaged/);
  });
});

describe('the records of a data folder', () => {
  it('are created for a new folder, or for a copy without records', async () => {
    const folder = await new Folder().crashAfter(2);
    const { system } = folder.records;
    rmSync(join(folder.path, 'records'), { recursive: true });
    rmSync(join(folder.path, 'system.json'));
    expect(await folder.orders()).toBe(2);
    expect(folder.records.system).toBe(system);
    expect(existsSync(join(folder.path, 'records', 'shop.json'))).toBe(true);
  });

  it('never go back to an earlier commit', async () => {
    const { records, path } = new Folder();
    const state = { system: null, module: 'shop', id: 'one' };
    records.see({ ...state, commits: 7 });
    records.see({ ...state, commits: 3 });
    await records.seeLater({ ...state, commits: 4 });
    expect(records.of('shop')).toMatchObject({ id: 'one', commits: 7 });
    const later = records.seeLater({ ...state, commits: 8 });
    records.see({ ...state, commits: 9 });
    await later;
    expect(records.of('shop')).toMatchObject({ id: 'one', commits: 9 });
    await records.seeLater({ ...state, commits: 10 });
    expect(records.of('shop')).toMatchObject({ id: 'one', commits: 10 });
    expect(statSync(join(path, 'records', 'shop.json')).mode & 0o777).toBe(0o600);
    expect(readdirSync(join(path, 'records'))).toEqual(['shop.json']);
  });

  // A record is on disk before it replaces the older one. So only damage can make it unreadable or remove it.
  it.each<[string, (file: string) => void, RegExp]>([
    ['is truncated', (file) => truncateSync(file, 9), /its record .*shop\.json is damaged \(.*JSON/],
    ['is empty', (file) => truncateSync(file, 0), /its record .*shop\.json is damaged \(.*JSON/],
    ['is invalid', (file) => writeFileSync(file, '{}'), /its record .*shop\.json is damaged \(it is no record/],
    ['is missing', (file) => rmSync(file), /its record .*shop\.json is missing/],
    ['is missing with its folder', (file) => rmSync(dirname(file), { recursive: true }), /shop\.json is missing/],
  ])('prevent the start when a record %s, with and without the database', async (_, lose, message) => {
    for (const withDatabase of [true, false]) {
      const folder = await new Folder().crashAfter(2);
      lose(join(folder.path, 'records', 'shop.json'));
      if (!withDatabase) rmSync(folder.file);
      const why = withDatabase ? /so Kerf cannot tell whether commits are missing; restore/ : /it is missing, and its/;
      for (let time = 0; time < 2; time++) {
        expect(folder.why()).toMatch(message);
        expect(folder.why()).toMatch(why);
        expect(folder.why()).toContain('--accept-loss shop');
      }
      const records = folder.records;
      records.accept('shop');
      records.withdraw();
      expect(folder.why()).toMatch(message);
      records.accept('shop');
      expect(await folder.orders()).toBe(withDatabase ? 2 : 0);
      expect(await folder.orders()).toBe(withDatabase ? 2 : 0);
    }
  });

  it('list a module after its record is there, so that another process that starts meanwhile never finds the record lost', () => {
    const { path, records } = new Folder();
    symlinkSync(join(path, 'missing', 'folder'), join(path, 'records'));
    const state = { system: 'one', module: 'shop', id: 'one', commits: 0 };
    expect(() => records.see(state)).toThrow(/shop\.json cannot be written/);
    rmSync(join(path, 'records'));
    expect(records.of('shop')).toBeUndefined();
  });

  it('prevent the start when the system file is damaged, and the error says what to do', async () => {
    const folder = await new Folder().crashAfter(2);
    const file = join(folder.path, 'system.json');
    const { system } = folder.records;
    const running = folder.records;
    expect(running.system).toBe(system);
    for (const text of ['', '{"sys', 'null', '7', '{"system":7}', '{"modules":"shop"}']) {
      writeFileSync(file, text);
      expect(folder.why()).toMatch(/system\.json is damaged \(.*\); restore the data folder .* remove this file/);
      expect(running.system).toBe(system);
    }
    rmSync(file);
    expect(await folder.orders()).toBe(2);
    expect(folder.records.system).toBe(system);
  });

  it('prevent the start and accept nothing when they cannot be read', async () => {
    for (const name of ['system.json', join('records', 'shop.json')]) {
      const folder = await new Folder().crashAfter(2);
      const file = join(folder.path, name);
      rmSync(file);
      mkdirSync(file);
      expect(folder.why()).toMatch(/\.json cannot be read: EISDIR/);
      expect(folder.why()).not.toMatch(/accept|remove/);
    }
  });

  it('are read from the folder of a release that did not list the modules', async () => {
    const folder = await new Folder().crashAfter(2);
    const { system } = folder.records;
    writeFileSync(join(folder.path, 'system.json'), JSON.stringify({ system }));
    expect(await folder.orders()).toBe(2);
    expect(JSON.parse(readFileSync(join(folder.path, 'system.json'), 'utf8'))).toEqual({ system, modules: ['shop'] });
  });
});
