import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import type { Migration } from '../../kernel/database/index.ts';
import { applyMigrations } from './migrations.ts';
import { openSqlite } from './sqlite.ts';

const folder = mkdtempSync(join(tmpdir(), 'kerf-migrations-'));
afterEach(() => vi.restoreAllMocks());
afterAll(() => rmSync(folder, { recursive: true }));

let files = 0;
const newFile = () => join(folder, `${++files}.db`);
const migrate = (file: string, ...migrations: Migration[]) => openSqlite('shop', file, migrations).close();
const failing = (file: string, ...migrations: Migration[]) => {
  try {
    void openSqlite('shop', file, migrations).close();
  } catch (error) {
    return (error as Error).message;
  }
  return 'it was opened';
};

/** Returns the whole content of a file, as text. */
function contentOf(file: string): string {
  const native = new Sqlite(file, { readonly: true });
  const schema = native.prepare('SELECT type, name, sql FROM sqlite_schema ORDER BY name').all() as {
    type: string;
    name: string;
  }[];
  const rows = schema
    .filter(({ type }) => type === 'table')
    .map(({ name }) => native.prepare(`SELECT * FROM "${name}"`).all());
  native.close();
  return JSON.stringify([schema, rows]);
}

function rowsOf(file: string, query: string): unknown[] {
  const native = new Sqlite(file, { readonly: true });
  const rows = native.prepare(query).all();
  native.close();
  return rows;
}

const shelves: Migration = {
  name: '0001-shelves',
  sqlite: `
    CREATE TABLE shelf (id INTEGER PRIMARY KEY, label TEXT);
    CREATE TABLE book (
      id INTEGER PRIMARY KEY,
      shelf_id INTEGER NOT NULL REFERENCES shelf (id) ON DELETE CASCADE ON UPDATE CASCADE,
      again_id INTEGER REFERENCES shelf (id) ON DELETE SET NULL
    );
    CREATE TABLE "order" (id INTEGER PRIMARY KEY, note TEXT DEFAULT '; -- no end');
    INSERT INTO shelf VALUES (1, 'a'), (2, NULL);
    INSERT INTO book VALUES (7, 1, 2), (8, 1, NULL);
  `,
};

const rebuilt = (end = '') => ({
  name: '0002-labels',
  sqlite: `
    CREATE TABLE shelf_new (id INTEGER PRIMARY KEY, label TEXT NOT NULL);
    INSERT INTO shelf_new SELECT id, coalesce(label, '') FROM shelf;
    DROP TABLE shelf;
    ALTER TABLE shelf_new RENAME TO shelf;
    ${end}`,
});

describe('a migration that rebuilds a table', () => {
  it('keeps the rows that refer to it, and enforces foreign keys afterwards', async () => {
    const file = newFile();
    await migrate(file, shelves);
    await migrate(file, shelves, rebuilt());
    expect(rowsOf(file, 'SELECT id, shelf_id, again_id FROM book')).toEqual([
      { id: 7, shelf_id: 1, again_id: 2 },
      { id: 8, shelf_id: 1, again_id: null },
    ]);
    const database = openSqlite('shop', file, [shelves, rebuilt()]);
    const orphan = database.work(async (unit) => void (await unit.db.run('INSERT INTO book VALUES (9, 5, NULL)')));
    await expect(orphan).rejects.toThrow();
    await database.work(async (unit) => void (await unit.db.run('DELETE FROM shelf WHERE id = 1')));
    expect(await database.db.all('SELECT id FROM book')).toEqual([]);
    await database.close();
  });

  it.each([
    ['an index', 'CREATE INDEX shelf_by_label ON shelf (label)', 'the index shelf_by_label of shelf is gone'],
    [
      'a trigger',
      `CREATE TRIGGER shelf_label AFTER INSERT ON shelf BEGIN
         UPDATE shelf SET label = CASE WHEN label IS NULL THEN '' ELSE label END WHERE id = NEW.id;
       END`,
      'the trigger shelf_label of shelf is gone',
    ],
  ])('names the part that would be lost: %s', async (_, part, message) => {
    const file = newFile();
    const parts = { name: '0001-parts', sqlite: part };
    await migrate(file, shelves, parts);
    const before = contentOf(file);
    expect(failing(file, shelves, parts, rebuilt())).toContain(message);
    expect(contentOf(file)).toBe(before);
    await migrate(file, shelves, parts, rebuilt(`${part};`));
    const name = /(?:INDEX|TRIGGER) (\w+)/.exec(part)![1]!;
    const dropped = {
      name: '0003',
      sqlite: `DROP ${part.split(' ')[1]} IF EXISTS main."${name}"; ${rebuilt().sqlite}`,
    };
    await migrate(file, shelves, parts, rebuilt(`${part};`), dropped);
    expect(rowsOf(file, `SELECT 1 FROM sqlite_schema WHERE name = '${name}'`)).toEqual([]);
  });

  it.each([
    ['a view of it blocks it', rebuilt(), /line 5 \(ALTER TABLE shelf_new .*error in view labels.*drop it before/],
    [
      'a view becomes invalid',
      {
        name: '0002',
        sqlite: 'DROP TABLE shelf; CREATE TABLE shelf (id INTEGER PRIMARY KEY); INSERT INTO shelf VALUES (1), (2)',
      },
      /after its last line: error in view labels: no such column: label/,
    ],
  ])('reports when %s', async (_, migration, message) => {
    const file = newFile();
    const view = { name: '0001-view', sqlite: 'CREATE VIEW labels AS SELECT label FROM shelf' };
    await migrate(file, shelves, view);
    const before = contentOf(file);
    expect(failing(file, shelves, view, migration)).toMatch(message);
    expect(contentOf(file)).toBe(before);
  });

  it.each([
    [
      'leaves rows with dangling references',
      'DELETE FROM shelf WHERE id = 1',
      /2 rows of book refer to rows of shelf that do not exist \(the first has rowid 7\)/,
    ],
    ['replaces a row by another', 'UPDATE shelf SET id = 3 WHERE id = 2', /1 rows of book refer to rows of shelf/],
    [
      'renames the old table first',
      'DELETE FROM book; ALTER TABLE shelf RENAME TO old; CREATE TABLE shelf (id INTEGER PRIMARY KEY); DROP TABLE old',
      /book refers to a table old that does not exist; build the new table under another name/,
    ],
    [
      'removes a primary key',
      'DELETE FROM book; DROP TABLE shelf; CREATE TABLE shelf (id INTEGER, label TEXT)',
      /foreign key mismatch.*must be a primary key, or be unique/,
    ],
  ])('is rolled back when it %s', async (_, sqlite, message) => {
    const file = newFile();
    await migrate(file, shelves);
    const before = contentOf(file);
    expect(failing(file, shelves, { name: '0002', sqlite })).toMatch(message);
    expect(contentOf(file)).toBe(before);
  });
});

describe('a failing migration', () => {
  it('leaves the database unchanged, and names its line and statement', async () => {
    const file = newFile();
    await migrate(file, shelves);
    const before = contentOf(file);
    const sqlite = `-- first line
      INSERT INTO "order" (note) VALUES ('two
        lines; and a semicolon'); /* a comment; with one */
      CREATE TRIGGER kept AFTER INSERT ON "order" BEGIN
        DELETE FROM book WHERE id = NEW.id; SELECT CASE WHEN 1 THEN 2 END;
      END;
      INSERT INTO shelff VALUES (3)`;
    expect(failing(file, shelves, { name: '0002', sqlite: 'DELETE FROM book' }, { name: '0003', sqlite })).toBe(
      `the data of "shop" (${file}) cannot be opened: migration "0003", line 7 (INSERT INTO shelff VALUES (3)): no such table: ` +
        'shelff; nothing was changed',
    );
    expect(contentOf(file)).toBe(before);
  });

  it.each([
    ['an unterminated literal', "CREATE TABLE more (id);\nINSERT INTO more VALUES ('a);"],
    ['an unterminated trigger', 'CREATE TABLE more (id);\nCREATE TRIGGER t AFTER INSERT ON more BEGIN SELECT 1;'],
    ['no SQL', 'CREATE TABLE more (id);\n$%&'],
  ])('names the line of %s', (_, sqlite) => {
    expect(failing(newFile(), { name: '0001', sqlite })).toMatch(/migration "0001", line 2 \(/);
  });
});

describe('a forbidden statement in a migration', () => {
  it.each([
    ['BEGIN', /one transaction/],
    ['begin immediate', /one transaction/],
    ['COMMIT', /one transaction/],
    ['END TRANSACTION', /one transaction/],
    ['ROLLBACK', /one transaction/],
    ['SAVEPOINT s', /one transaction/],
    ['RELEASE s', /one transaction/],
    ['VACUUM', /cannot run in a transaction/],
    ["VACUUM INTO '/tmp/copy.db'", /cannot run in a transaction/],
    ["ATTACH 'other.db' AS other", /its own module only/],
    ['DETACH other', /its own module only/],
    ['PRAGMA foreign_keys = OFF', /foreign keys are off while migrations run/],
    ['pragma writable_schema=1', /leave this statement out/],
    ['/* why */ PRAGMA journal_mode = DELETE', /leave this statement out/],
    ['PRAGMA recursive_triggers = ON', /leave this statement out/],
    ['CREATE TEMP TABLE aside (id)', /temporary objects/],
    ['CREATE TABLE temp.aside (id)', /temporary objects/],
    ['CREATE TEMPORARY TRIGGER t AFTER INSERT ON shelf BEGIN SELECT 1; END', /temporary objects/],
    ['CREATE TABLE more (id INTEGER UNIQUE ON CONFLICT ROLLBACK)', /write ABORT/],
    ["CREATE TRIGGER t AFTER INSERT ON shelf BEGIN SELECT RAISE(ROLLBACK, 'no'); END", /write ABORT/],
    ['DROP TABLE kerf_outbox', /kerf_outbox belongs to Kerf/],
    ['ALTER TABLE "KERF_outbox" ADD COLUMN more', /belongs to Kerf/],
    ['DROP TABLE [kerf_outbox]', /belongs to Kerf/],
    ["DROP TABLE IF EXISTS 'kerf_outbox'", /belongs to Kerf/],
    ['DELETE FROM main.`kerf_inbox`', /belongs to Kerf/],
    ['CREATE TRIGGER t AFTER INSERT ON shelf BEGIN DELETE FROM kerf_outbox; END', /belongs to Kerf/],
    ['CREATE TABLE kerf_mine (id)', /choose another name/],
    ['SELECT 1\0; DROP TABLE shelf', /NUL character/],
  ])('is refused before any change: %s', async (statement, message) => {
    const file = newFile();
    await migrate(file, shelves);
    const before = contentOf(file);
    const message_ = failing(file, shelves, {
      name: '0002',
      sqlite: `DELETE FROM book;\n${statement};\nDELETE FROM shelf;`,
    });
    expect(message_).toMatch(message);
    expect(message_).toContain('migration "0002", line 2 (');
    expect(contentOf(file)).toBe(before);
  });

  it('is allowed in a literal, a name, a comment, or the body of a trigger', async () => {
    const sqlite = `
      -- BEGIN; PRAGMA foreign_keys = OFF
      INSERT INTO "order" (note) VALUES ('COMMIT; VACUUM'), ('kerf_outbox');
      CREATE TABLE "rollback" (id INTEGER);
      CREATE TRIGGER t AFTER INSERT ON shelf BEGIN DELETE FROM book WHERE id = NEW.id; END;`;
    await migrate(newFile(), shelves, { name: '0002', sqlite });
  });
});

describe('the record of migrations', () => {
  const more: Migration = { name: '0002', sqlite: 'CREATE TABLE more (id INTEGER)', phase: 'expand' };

  it('names a migration that has changed since it was applied, ignoring comments and white space', async () => {
    const file = newFile();
    await migrate(file, shelves, more);
    await migrate(file, shelves, { ...more, sqlite: '-- a word on it\n CREATE  TABLE more\n(id INTEGER);' });
    const changed = { ...more, sqlite: 'CREATE TABLE more (id TEXT)' };
    expect(failing(file, shelves, changed)).toMatch(
      /migration "0002" has changed since it was applied \(20.*Z\); put its text back/,
    );
    expect(failing(file, { ...shelves, sqlite: `${shelves.sqlite} SELECT 1` }, more)).toContain(
      '"0001-shelves" has changed',
    );
  });

  it('names a migration that is listed twice, has moved, or was inserted', async () => {
    const file = newFile();
    expect(failing(newFile(), shelves, more, { ...more })).toContain('migration "0002" is listed twice');
    await migrate(file, shelves, more);
    expect(failing(file, more, shelves)).toContain(
      'migration "0002" was applied after "0001-shelves" and is listed before it',
    );
    expect(failing(file, shelves, { name: '0001-b', sqlite: 'SELECT 1' }, more)).toContain(
      'migration "0001-b" is listed before "0002", which was applied already; add new migrations at the end',
    );
    await migrate(
      file,
      { name: 'kerf-new-0001', sqlite: 'CREATE TABLE kerf_new (id)', phase: 'expand' },
      shelves,
      more,
    );
  });

  it('names a migration of another release, unless it is marked as expand', async () => {
    const file = newFile();
    await migrate(file, shelves, more);
    await migrate(file, shelves);
    await migrate(file, shelves, more, { name: '0003', sqlite: 'DROP TABLE more', phase: 'contract' });
    expect(failing(file, shelves, more)).toMatch(
      /migration "0003" was applied by another release and is not marked as expand.*start the release/,
    );
    await migrate(newFile(), shelves);
  });

  it('is completed in a database of a release that recorded only names', async () => {
    const file = newFile();
    const native = new Sqlite(file);
    native.exec(`${shelves.sqlite}; CREATE TABLE kerf_migrations (name TEXT PRIMARY KEY, applied_at TEXT NOT NULL);
      INSERT INTO kerf_migrations VALUES ('0001-shelves', '2026-01-01T00:00:00.000Z')`);
    native.close();
    await migrate(file, shelves);
    expect(failing(file, { ...shelves, sqlite: 'SELECT 1' })).toContain('"0001-shelves" has changed');
    await migrate(file, shelves, more);
    expect(rowsOf(file, 'SELECT name, phase, hash IS NULL AS bare FROM kerf_migrations')).toEqual([
      { name: '0001-shelves', phase: null, bare: 0 },
      { name: '0002', phase: 'expand', bare: 0 },
    ]);
  });

  it('names a migration whose phase has changed since it was applied', async () => {
    for (const [applied, listed] of [
      ['expand', 'contract'],
      ['contract', 'expand'],
    ] as const) {
      const file = newFile();
      await migrate(file, shelves, { ...more, phase: applied });
      expect(failing(file, shelves, { ...more, phase: listed })).toMatch(
        new RegExp(`"0002" was applied as ${applied} \\(20.*\\) and is listed as ${listed}; put its phase back`),
      );
      await migrate(file, shelves, { ...more, phase: applied });
    }
  });

  it('adopts a phase that was missing at first', async () => {
    const file = newFile();
    const { phase: _, ...unmarked } = more;
    await migrate(file, shelves, unmarked);
    await migrate(file, shelves, more);
    await migrate(file, shelves);
  });
});

describe('a migration that is not marked as expand', () => {
  const contracting: Migration = {
    name: '0002',
    sqlite: 'ALTER TABLE shelf RENAME COLUMN label TO name',
    phase: 'contract',
  };

  it('is refused while another process has the database open, and applied after it ended', async () => {
    const file = newFile();
    const running = openSqlite('shop', file, [shelves]);
    const before = contentOf(file);
    let now = Date.now();
    vi.spyOn(Date, 'now').mockImplementation(() => (now += 2_000));
    expect(failing(file, shelves, contracting)).toMatch(
      /another process has it open, and migration "0002" is not marked as expand; stop/,
    );
    expect(contentOf(file)).toBe(before);
    await running.close();
    await migrate(file, shelves, contracting);
    expect(rowsOf(file, 'SELECT name FROM shelf WHERE id = 1')).toEqual([{ name: 'a' }]);
  });

  it('is applied to an in-memory database like to a file', () => {
    const native = new Sqlite(':memory:');
    applyMigrations(native, [
      shelves,
      contracting,
      { ...rebuilt(), name: '0003', sqlite: 'DELETE FROM book; DELETE FROM shelf' },
    ]);
    expect([native.pragma('foreign_keys', { simple: true }), native.inTransaction]).toEqual([1, false]);
    native.close();
  });
});
