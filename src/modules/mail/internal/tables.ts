import { defineTables } from '../../../shared/kernel/database/index.ts';

export type MailStatus = 'queued' | 'sent' | 'bounced';

export const tables = defineTables(({ table, text }) => ({
  mails: table('mails', {
    messageId: text('message_id').primaryKey(),
    memberId: text('member_id').notNull(),
    recipient: text('recipient').notNull(),
    subject: text('subject').notNull(),
    text: text('text').notNull(),
    status: text('status').$type<MailStatus>().notNull(),
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
