import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { eq, sql } from 'drizzle-orm';
import { openSqlite } from '../src/shared/adapters/sqlite/index.ts';
import { defineTables, prepared, type Unit } from '../src/shared/kernel/database/index.ts';
import { compare, concurrently } from './compare.ts';

const schema = `
  CREATE TABLE entries (id INTEGER PRIMARY KEY, account INTEGER NOT NULL, amount INTEGER NOT NULL);
  CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT NOT NULL);
  CREATE TABLE accounts (id INTEGER PRIMARY KEY, balance INTEGER NOT NULL);
  INSERT INTO accounts VALUES (1, 0);
`;

const tables = defineTables(({ table, integer, text }) => ({
  entries: table('entries', {
    id: integer('id').primaryKey(),
    account: integer('account').notNull(),
    amount: integer('amount').notNull(),
  }),
  notes: table('notes', { id: integer('id').primaryKey(), text: text('text').notNull() }),
  accounts: table('accounts', { id: integer('id').primaryKey(), balance: integer('balance').notNull() }),
}));

const addEntry = prepared((unit) =>
  unit.db
    .insert(tables(unit).entries)
    .values({ account: 1, amount: sql.placeholder('amount') })
    .prepare(),
);
const addNote = prepared((unit) =>
  unit.db
    .insert(tables(unit).notes)
    .values({ text: sql.placeholder('text') })
    .prepare(),
);
const addBalance = prepared((unit) => {
  const { accounts } = tables(unit);
  return unit.db
    .update(accounts)
    .set({ balance: sql`${accounts.balance} + ${sql.placeholder('amount')}` })
    .where(eq(accounts.id, 1))
    .prepare();
});
const readBalance = prepared((unit) => {
  const { accounts } = tables(unit);
  return unit.db.select({ balance: accounts.balance }).from(accounts).where(eq(accounts.id, 1)).prepare();
});

async function post(unit: Unit): Promise<void> {
  await addEntry(unit).execute({ amount: 5 });
  await addNote(unit).execute({ text: 'a note of usual length' });
  await addBalance(unit).execute({ amount: 5 });
  await readBalance(unit).execute();
}

/** The simplest use of better-sqlite3: one commit with an fsync for each unit of work. */
function single(file: string) {
  const native = new Sqlite(file);
  native.pragma('journal_mode = WAL');
  native.pragma('synchronous = FULL');
  native.exec(schema);
  const entry = native.prepare('INSERT INTO entries (account, amount) VALUES (1, ?)');
  const note = native.prepare('INSERT INTO notes (text) VALUES (?)');
  const balance = native.prepare('UPDATE accounts SET balance = balance + ? WHERE id = 1');
  const read = native.prepare('SELECT balance FROM accounts WHERE id = 1');
  return native.transaction(() => {
    entry.run(5);
    note.run('a note of usual length');
    balance.run(5);
    read.get();
  }).immediate;
}

const folder = mkdtempSync(join(process.cwd(), 'dist', 'bench-'));
try {
  const one = single(join(folder, 'single.db'));
  const database = openSqlite('bench', join(folder, 'units.db'), [{ name: 'bench', sqlite: schema }]);
  for (const width of [1, 100]) {
    await compare({
      title: `Two inserts, an update and a select, durable, ${width} writers at a time`,
      times: 2_000,
      contestants: [
        { name: 'better-sqlite3, a commit each', run: async (times) => concurrently(times, width, async () => one()) },
        { name: 'unit of work', run: (times) => concurrently(times, width, () => database.work(post)) },
      ],
    });
  }
  await database.close();
} finally {
  rmSync(folder, { recursive: true, force: true });
}
