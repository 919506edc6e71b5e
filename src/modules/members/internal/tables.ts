import { defineTables } from '../../../shared/kernel/database/index.ts';

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
