import { defineTables } from '../../../shared/kernel/database/index.ts';

export type TextStatus = 'queued' | 'sent' | 'failed';

export const tables = defineTables(({ table, text }) => ({
  texts: table('texts', {
    messageId: text('message_id').primaryKey(),
    memberId: text('member_id').notNull(),
    recipient: text('recipient').notNull(),
    text: text('text').notNull(),
    status: text('status').$type<TextStatus>().notNull(),
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
