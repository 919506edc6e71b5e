import { defineTables, insertInto, type Migration, rowBy, updateBy } from 'kerf/database';

export const tables = defineTables(({ table, text }) => ({
  mails: table('mails', {
    messageId: text('message_id').primaryKey(),
    memberId: text('member_id').notNull(),
    recipient: text('recipient').notNull(),
    subject: text('subject').notNull(),
    text: text('text').notNull(),
    status: text('status').$type<'queued' | 'sent' | 'bounced'>().notNull(),
    at: text('at').notNull(),
  }),
  /** Where mail goes while there is no SMTP server. */
  mailbox: table('mailbox', {
    messageId: text('message_id').primaryKey(),
    recipient: text('recipient').notNull(),
    subject: text('subject').notNull(),
    text: text('text').notNull(),
    at: text('at').notNull(),
  }),
}));

export const migrations: Migration[] = [
  {
    name: '0001-mails',
    phase: 'expand',
    sqlite: `
      CREATE TABLE mails (
        message_id TEXT PRIMARY KEY,
        member_id TEXT NOT NULL,
        recipient TEXT NOT NULL,
        subject TEXT NOT NULL,
        text TEXT NOT NULL,
        status TEXT NOT NULL,
        at TEXT NOT NULL
      );
      CREATE TABLE mailbox (
        message_id TEXT PRIMARY KEY,
        recipient TEXT NOT NULL,
        subject TEXT NOT NULL,
        text TEXT NOT NULL,
        at TEXT NOT NULL
      );
    `,
  },
];

export const mailById = rowBy((reader) => tables(reader).mails, 'messageId');
export const addMail = insertInto((unit) => tables(unit).mails);
export const markMail = updateBy((unit) => tables(unit).mails, 'messageId', 'status', 'at');
export const putIntoMailbox = insertInto((unit) => tables(unit).mailbox);
