import type { Migration } from '../../../shared/kernel/database/index.ts';

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
