import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { differenceOf } from '../../scripts/new-migration/difference.ts';
import { declared, migrated, snapshotOf } from '../../scripts/new-migration/snapshot.ts';
import { defineTables } from '../../src/shared/kernel/database/index.ts';

type Build = Parameters<typeof defineTables>[0];

const shelves = `
  CREATE TABLE shelves (id TEXT PRIMARY KEY, label TEXT, size INTEGER NOT NULL);
  CREATE INDEX shelves_by_label ON shelves (label);
`;

/** Returns what must follow on `sqlite`, so that the tables are as declared. Checks that it makes them so, with rows in them. */
async function migrationTo(sqlite: string, build: Build) {
  const tables = defineTables(build)({ dialect: 'sqlite' }) as Record<string, unknown>;
  const native = migrated([{ name: '0001', sqlite }]);
  const wanted = await declared(tables);
  const difference = await differenceOf(native, snapshotOf(native, wanted), wanted);
  if (!difference) return undefined;
  native.exec(difference.statements.join(';\n'));
  expect(await differenceOf(native, snapshotOf(native, wanted), wanted)).toBeUndefined();
  return difference;
}

describe('the migration to the declared tables', () => {
  it('is none when nothing has changed, whatever indexes there are', async () => {
    const same = await migrationTo(shelves, ({ table, text, integer }) => ({
      shelves: table('shelves', { id: text('id').primaryKey(), label: text('label'), size: integer('size').notNull() }),
    }));
    expect(same).toBeUndefined();
  });

  it('makes a new table', async () => {
    const made = await migrationTo('', ({ table, text, integer }) => ({
      items: table('items', { id: text('id').primaryKey(), order: integer('order').notNull(), note: text('note') }),
    }));
    expect(made).toEqual({
      statements: ['CREATE TABLE items (\n  id TEXT PRIMARY KEY,\n  "order" INTEGER NOT NULL,\n  note TEXT\n)'],
      ...{ phase: 'expand', about: 'items' },
    });
  });

  it('adds columns, which the previous release can ignore', async () => {
    const added = await migrationTo(shelves, ({ table, text, integer }) => ({
      shelves: table('shelves', {
        ...{ id: text('id').primaryKey(), label: text('label'), size: integer('size').notNull() },
        ...{ note: text('note'), color: text('color').notNull().default('white') },
      }),
    }));
    expect(added).toEqual({
      statements: ['ALTER TABLE shelves ADD note TEXT', "ALTER TABLE shelves ADD color TEXT DEFAULT 'white' NOT NULL"],
      ...{ phase: 'expand', about: 'shelves-note' },
    });
  });

  it('drops a column and a table', async () => {
    const dropped = await migrationTo(`${shelves} CREATE TABLE old (id TEXT)`, ({ table, text }) => ({
      shelves: table('shelves', { id: text('id').primaryKey(), label: text('label') }),
    }));
    expect(dropped?.statements.toSorted()).toEqual(['ALTER TABLE shelves DROP COLUMN size', 'DROP TABLE old']);
    expect(dropped?.phase).toBe('contract');
  });

  it('rebuilds a table whose column changes, with its indexes, and adds a column first', async () => {
    const changed = await migrationTo(shelves, ({ table, text, integer }) => ({
      shelves: table('shelves', {
        ...{ id: text('id').primaryKey(), label: text('label').notNull(), size: integer('size').notNull() },
        note: text('note'),
      }),
    }));
    expect(changed?.statements[0]).toBe('ALTER TABLE shelves ADD note TEXT');
    expect(changed?.statements.at(-1)).toBe('CREATE INDEX shelves_by_label ON shelves (label)');
    expect(changed?.phase).toBe('contract');
  });

  it('takes a renamed column for a new one and a dropped one, and asks nothing', async () => {
    const renamed = await migrationTo(shelves, ({ table, text }) => ({
      shelves: table('shelves', { id: text('id').primaryKey(), label: text('label'), height: text('height') }),
    }));
    expect(renamed?.statements).toEqual([
      'ALTER TABLE shelves ADD height TEXT',
      'ALTER TABLE shelves DROP COLUMN size',
    ]);
  });
});

describe('kerf new migration', () => {
  const copy = mkdtempSync(join(tmpdir(), 'kerf-new-migration-'));
  const store = join(copy, 'src/modules/orders/internal/store.ts');
  const run = (...words: string[]) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, words, { cwd: copy, encoding: 'utf8' });
    return { code: status, stdout, stderr };
  };
  const newMigration = (...words: string[]) => run('scripts/kerf.mjs', 'new', 'migration', ...words);
  const declare = (column: string) =>
    writeFileSync(
      store,
      readFileSync(store, 'utf8').replace("reason: text('reason'),", `reason: text('reason'),\n    ${column},`),
    );

  beforeAll(() => {
    for (const file of [
      'src',
      'scripts',
      'package.json',
      'package-lock.json',
      'tsconfig.json',
      'biome.json',
      '.gitignore',
    ])
      cpSync(file, join(copy, file), { recursive: true });
    symlinkSync(join(process.cwd(), 'node_modules'), join(copy, 'node_modules'), 'junction');
    spawnSync('git', ['init', '-q'], { cwd: copy });
  });
  afterAll(() => rmSync(copy, { recursive: true }));

  it.each([
    [[], 'missing <module>: a module with tables, such as orders', 2],
    [['billing'], 'there is no src/modules/billing/internal/store.ts', 1],
    [['orders'], 'the migrations of orders make the tables of src/modules/orders/internal/store.ts already', 1],
    [['orders', '--name', 'A note'], '--name takes small letters', 2],
  ])('%j is refused in one line', (words, why, code) => {
    expect(newMigration(...words)).toEqual({ code, stdout: '', stderr: expect.stringContaining(why) });
  });

  it('refuses a new column without a value for old rows', () => {
    const before = readFileSync(store, 'utf8');
    declare("channel: text('channel').notNull()");
    expect(newMigration('orders').stderr).toContain('the new column channel of orders may not be null');
    writeFileSync(store, before);
  });

  it('refuses to rebuild a table whose constraints it does not know', () => {
    const pairs = join(copy, 'src/modules/recommendations/internal/store.ts');
    writeFileSync(pairs, readFileSync(pairs, 'utf8').replace("integer('orders').notNull()", "integer('orders')"));
    expect(newMigration('recommendations').stderr).toMatch(
      /rebuilds the table pairs, and its PRIMARY KEY would be lost; write .* by hand/,
    );
  });

  it('writes the migration, formatted, and has nothing more to write', () => {
    declare("channel: text('channel')");
    expect(newMigration('orders', '--name', 'channel-of-orders')).toMatchObject({ code: 0, stderr: '' });
    expect(readFileSync(store, 'utf8')).toContain(`
  {
    name: '0002-channel-of-orders',
    phase: 'expand',
    sqlite: \`
      ALTER TABLE orders ADD channel TEXT;
    \`,
  },
];
`);
    expect(run('node_modules/@biomejs/biome/bin/biome', 'check', store)).toMatchObject({ code: 0 });
    expect(newMigration('orders').stderr).toContain('already; change those first');
  });
});
