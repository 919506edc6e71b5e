import { defineTables, insertInto, type Migration, rowBy, updateBy } from 'kerf/database';

export const tables = defineTables(({ table, text }) => ({
  texts: table('texts', {
    messageId: text('message_id').primaryKey(),
    memberId: text('member_id').notNull(),
    recipient: text('recipient').notNull(),
    text: text('text').notNull(),
    status: text('status').$type<'queued' | 'sent' | 'failed'>().notNull(),
    at: text('at').notNull(),
  }),
  /** Where text messages go while there is no provider. */
  outbox: table('development_outbox', {
    messageId: text('message_id').primaryKey(),
    recipient: text('recipient').notNull(),
    text: text('text').notNull(),
    at: text('at').notNull(),
  }),
}));

export const migrations: Migration[] = [
  {
    name: '0001-texts',
    phase: 'expand',
    sqlite: `
      CREATE TABLE texts (
        message_id TEXT PRIMARY KEY,
        member_id TEXT NOT NULL,
        recipient TEXT NOT NULL,
        text TEXT NOT NULL,
        status TEXT NOT NULL,
        at TEXT NOT NULL
      );
      CREATE TABLE development_outbox (
        message_id TEXT PRIMARY KEY,
        recipient TEXT NOT NULL,
        text TEXT NOT NULL,
        at TEXT NOT NULL
      );
    `,
  },
];

export const textById = rowBy((reader) => tables(reader).texts, 'messageId');
export const addText = insertInto((unit) => tables(unit).texts);
export const markText = updateBy((unit) => tables(unit).texts, 'messageId', 'status', 'at');
export const putIntoOutbox = insertInto((unit) => tables(unit).outbox);
