import { defineTables } from '../../../shared/kernel/database/index.ts';

export type MessageStatus = 'queued' | 'sent' | 'failed';

export const tables = defineTables(({ table, text }) => ({
  /** A member's addresses, copied from events of the members module, so that a message needs no call. */
  contacts: table('contacts', {
    memberId: text('member_id').primaryKey(),
    email: text('email').notNull(),
    name: text('name').notNull(),
    phone: text('phone'),
  }),
  messages: table('messages', {
    id: text('id').primaryKey(),
    memberId: text('member_id').notNull(),
    channel: text('channel').$type<'mail' | 'sms'>().notNull(),
    subject: text('subject').notNull(),
    /** Id of the message's order, if the message concerns one. */
    orderId: text('order_id'),
    status: text('status').$type<MessageStatus>().notNull(),
    at: text('at').notNull(),
  }),
}));

export type Contact = ReturnType<typeof tables>['contacts']['$inferSelect'];
