import type { Migration } from '../../../shared/kernel/database/index.ts';

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
