import type { Migration } from '../../../shared/kernel/database/index.ts';

export const migrations: Migration[] = [
  {
    name: '0001-stock',
    phase: 'expand',
    sqlite: `
      CREATE TABLE stock (sku TEXT PRIMARY KEY, available INTEGER NOT NULL CHECK (available >= 0));
      CREATE TABLE reservations (
        order_id TEXT PRIMARY KEY,
        state TEXT NOT NULL,
        lines TEXT NOT NULL,
        expires_at INTEGER NOT NULL
      );
      CREATE INDEX reservations_held ON reservations (expires_at) WHERE state = 'held';
    `,
  },
];
