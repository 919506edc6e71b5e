import Sqlite from 'better-sqlite3';
import { count, eq, gt, sql } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/better-sqlite3';
import { integer, sqliteTable, text } from 'drizzle-orm/sqlite-core';
import { expect, it } from 'vitest';
import type { Db } from '../../kernel/database/index.ts';
import { connect } from './sqlite-connection.ts';

const { placeholder } = sql;

const tools = sqliteTable('tools', {
  id: integer('id').primaryKey(),
  fullName: text('full_name').notNull(),
  tags: text('tags', { mode: 'json' }).$type<string[]>(),
  isSharp: integer('is_sharp', { mode: 'boolean' }),
});
const loans = sqliteTable('loans', { toolId: integer('tool_id'), by: text('by') });

function workshop(open: (native: InstanceType<typeof Sqlite>) => Db): Db {
  const native = new Sqlite(':memory:');
  native.exec(`
    CREATE TABLE tools (id INTEGER PRIMARY KEY, full_name TEXT NOT NULL UNIQUE, tags TEXT, is_sharp INTEGER);
    CREATE TABLE loans (tool_id INTEGER, by TEXT);
    INSERT INTO tools VALUES (1, 'saw', '["wood"]', 1), (2, 'hammer', NULL, NULL), (3, 'file', '[]', 0);
    INSERT INTO loans VALUES (1, 'Ann'), (1, 'Bob');
  `);
  return open(native);
}

const ours = () => workshop((native) => connect(native, { check() {}, failed: (error) => error }));
const drizzles = () => workshop((native) => drizzle(native) as unknown as Db);

const byName = (db: Db) =>
  db
    .select()
    .from(tools)
    .where(eq(tools.fullName, placeholder('name')));

const queries: Record<string, (db: Db) => unknown> = {
  'all columns': (db) => db.select().from(tools).prepare().execute(),
  'an unprepared query': (db) => db.select().from(tools).where(eq(tools.fullName, 'saw')),
  'some columns under other names': (db) => db.select({ called: tools.fullName, labels: tools.tags }).from(tools),
  'nothing found': (db) => byName(db).prepare().execute({ name: 'anvil' }),
  'the first row': (db) => byName(db).prepare().get({ name: 'saw' }),
  'no first row': (db) => byName(db).prepare().get({ name: 'anvil' }),
  'rows as arrays': (db) => byName(db).prepare().values({ name: 'saw' }),
  'a decoded expression': (db) => db.select({ n: sql<string>`count(*)`.mapWith(String) }).from(tools),
  'a count': (db) => db.$count(tools, gt(tools.id, 1)),
  'nested fields': (db) => db.select({ tool: { name: tools.fullName }, id: tools.id }).from(tools),
  'an inner join': (db) => db.select().from(tools).innerJoin(loans, eq(loans.toolId, tools.id)),
  'a left join': (db) => db.select().from(tools).leftJoin(loans, eq(loans.toolId, tools.id)),
  'a group': (db) => db.select({ by: loans.by, n: count() }).from(loans).groupBy(loans.by),
  'a union': (db) =>
    db
      .select({ name: tools.fullName })
      .from(tools)
      .where(eq(tools.id, placeholder('id')))
      .unionAll(
        db
          .select({ name: tools.fullName })
          .from(tools)
          .where(gt(tools.id, placeholder('id'))),
      )
      .limit(placeholder('most'))
      .prepare()
      .execute({ id: 1, most: 2 }),
  'a plain text': (db) => db.all('SELECT full_name FROM tools'),
  'one row of a plain text': (db) => db.get('SELECT full_name FROM tools'),
  'an insert': (db) => {
    const values = { id: placeholder('id'), fullName: placeholder('name'), tags: placeholder('tags'), isSharp: true };
    const insert = db.insert(tools).values(values).prepare();
    return insert.execute({ id: 9, name: 'plane', tags: ['wood', 'flat'] });
  },
  'an insert of what is left out': (db) => {
    const values = { fullName: placeholder('name'), tags: placeholder('tags') };
    return db.insert(tools).values(values).returning().prepare().execute({ name: 'plane', tags: undefined });
  },
  'an update that returns rows': (db) =>
    db
      .update(tools)
      .set({ isSharp: sql`${placeholder('isSharp')}`, tags: sql`${sql.param(placeholder('tags'), tools.tags)}` })
      .where(eq(tools.id, placeholder('id')))
      .returning({ id: tools.id, isSharp: tools.isSharp, tags: tools.tags })
      .prepare()
      .execute({ id: 3, isSharp: 1, tags: null }),
  'a value that is missing': (db) => byName(db).prepare().execute({}),
  'no values at all': (db) => byName(db).prepare().execute(),
  'a value that SQLite does not know': (db) =>
    byName(db)
      .prepare()
      .execute({ name: Symbol('name') }),
  'a conflict': (db) => db.insert(tools).values({ fullName: 'saw' }),
  'a conflict in a prepared query': (db) =>
    db
      .insert(tools)
      .values({ fullName: placeholder('name') })
      .prepare()
      .execute({ name: 'saw' }),
};

/** Runs a query. Resolves with its outcome and the content of the table after it. */
async function outcome(db: Db, query: (db: Db) => unknown): Promise<unknown> {
  const result = await new Promise((resolve) => resolve(query(db))).then(
    (value) => ({ value }),
    ({ message, code }) => ({ message, code }),
  );
  return { result, after: await db.all('SELECT * FROM tools') };
}

it.each(Object.entries(queries))('gives the same result as Drizzle: %s', async (_, query) => {
  expect(await outcome(ours(), query)).toEqual(await outcome(drizzles(), query));
});

it('runs prepared queries when they are executed, in that order', async () => {
  const db = ours();
  const insert = db
    .insert(tools)
    .values({ fullName: placeholder('name') })
    .prepare();
  const written = insert.execute({ name: 'plane' });
  const [found] = await byName(db).prepare().execute({ name: 'plane' });
  await written;
  expect(found?.id).toBe(4);
});

it('rejects instead of throwing when a prepared query fails', async () => {
  const refused = byName(ours()).prepare().execute({});
  await expect(refused).rejects.toThrow('No value for placeholder "name"');
});

it('refuses nested transactions', () => {
  expect(() => ours().transaction(async () => {})).toThrow('a unit of work is a transaction already');
});
