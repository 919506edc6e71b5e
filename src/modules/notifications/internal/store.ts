import { eq } from 'drizzle-orm';
import { defineTables, insertInto, type Migration, rowBy, upsertInto } from 'kerf/database';
import { handle, pagesOf } from 'kerf/module';
import { type Message, notifications } from '../contract.ts';

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
    channel: text('channel').$type<Message['channel']>().notNull(),
    subject: text('subject').notNull(),
    /** Id of the message's order, if the message concerns one. */
    orderId: text('order_id'),
    status: text('status').$type<Message['status']>().notNull(),
    at: text('at').notNull(),
  }),
}));

export type Contact = ReturnType<typeof tables>['contacts']['$inferInsert'];

export const migrations: Migration[] = [
  {
    name: '0001-messages',
    phase: 'expand',
    sqlite: `
      CREATE TABLE contacts (member_id TEXT PRIMARY KEY, email TEXT NOT NULL, name TEXT NOT NULL, phone TEXT);
      CREATE TABLE messages (
        id TEXT PRIMARY KEY,
        member_id TEXT NOT NULL,
        channel TEXT NOT NULL,
        subject TEXT NOT NULL,
        order_id TEXT,
        status TEXT NOT NULL,
        at TEXT NOT NULL
      );
      CREATE INDEX messages_by_member ON messages (member_id, id);
    `,
  },
];

export const contactOf = rowBy((reader) => tables(reader).contacts, 'memberId');
export const putContact = upsertInto((unit) => tables(unit).contacts, 'memberId');
export const addMessage = insertInto((unit) => tables(unit).messages);
export const putStatus = upsertInto((unit) => tables(unit).messages, 'id', ['status']);
const messages = pagesOf('notifications.history', (reader) => tables(reader).messages, 'id', 'descending');

export const history = handle(notifications.operations.history, ({ memberId, orderId, ...request }, reader) => {
  const table = tables(reader).messages;
  const ofOrder = orderId === undefined ? undefined : eq(table.orderId, orderId);
  return messages(
    reader,
    request,
    ({ memberId: _, orderId: __, ...message }) => message,
    eq(table.memberId, memberId),
    ofOrder,
  );
});
