import type { Migration } from '../../../shared/kernel/database/index.ts';

export const migrations: Migration[] = [
  {
    name: '0001-posts',
    phase: 'expand',
    sqlite: `
      CREATE TABLE posts (
        id TEXT PRIMARY KEY,
        member_id TEXT NOT NULL,
        author TEXT NOT NULL,
        title TEXT NOT NULL,
        body TEXT NOT NULL,
        created_at TEXT NOT NULL
      );
      CREATE TABLE comments (
        id TEXT PRIMARY KEY,
        post_id TEXT NOT NULL REFERENCES posts (id),
        member_id TEXT NOT NULL,
        author TEXT NOT NULL,
        body TEXT NOT NULL,
        created_at TEXT NOT NULL
      );
      CREATE INDEX comments_by_post ON comments (post_id, id);
    `,
  },
];
