import type { Migration } from '../../../shared/kernel/database/index.ts';

export const migrations: Migration[] = [
  {
    name: '0001-orders',
    phase: 'expand',
    sqlite: `
      CREATE TABLE orders (
        id TEXT PRIMARY KEY,
        member_id TEXT NOT NULL,
        status TEXT NOT NULL,
        reason TEXT,
        lines TEXT NOT NULL,
        amount INTEGER NOT NULL,
        currency TEXT NOT NULL,
        key TEXT NOT NULL,
        fingerprint TEXT NOT NULL,
        created_at TEXT NOT NULL
      );
      CREATE UNIQUE INDEX orders_by_key ON orders (member_id, key);
      CREATE INDEX orders_by_member ON orders (member_id, id);
    `,
  },
];
