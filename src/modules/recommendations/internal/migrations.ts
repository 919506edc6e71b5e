import type { Migration } from '../../../shared/kernel/database/index.ts';

export const migrations: Migration[] = [
  {
    name: '0001-pairs',
    phase: 'expand',
    sqlite: `
      CREATE TABLE pairs (sku TEXT NOT NULL, other TEXT NOT NULL, orders INTEGER NOT NULL, PRIMARY KEY (sku, other)) WITHOUT ROWID;
      CREATE INDEX pairs_by_count ON pairs (sku, orders);
    `,
  },
];
