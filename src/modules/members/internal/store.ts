import { defineTables, insertInto, type Migration, rowBy } from 'kerf/database';
import { orNotFound } from 'kerf/errors';
import { handle } from 'kerf/module';
import { members } from '../contract.ts';

export const tables = defineTables(({ table, text }) => ({
  members: table('members', {
    id: text('id').primaryKey(),
    /** In lower case, so that two spellings mean one member. */
    email: text('email').notNull(),
    name: text('name').notNull(),
    phone: text('phone'),
    passwordHash: text('password_hash').notNull(),
    createdAt: text('created_at').notNull(),
  }),
}));

export const migrations: Migration[] = [
  {
    name: '0001-members',
    phase: 'expand',
    sqlite: `
      CREATE TABLE members (
        id TEXT PRIMARY KEY,
        email TEXT NOT NULL UNIQUE,
        name TEXT NOT NULL,
        phone TEXT,
        password_hash TEXT NOT NULL,
        created_at TEXT NOT NULL
      );
    `,
  },
];

export const addMember = insertInto((unit) => tables(unit).members);
export const memberByEmail = rowBy((reader) => tables(reader).members, 'email');
const memberById = rowBy((reader) => tables(reader).members, 'id');

export const profile = handle(members.operations.profile, async ({ id }, reader) => {
  const { email, name, phone } = orNotFound(await memberById(reader, id), 'member');
  return { id, email, name, ...(phone !== null && { phone }) };
});

export const displayName = handle(members.operations.displayName, async ({ id }, reader) => {
  const { name } = orNotFound(await memberById(reader, id), 'member');
  return { name };
});
