import { defineTables } from '../../../shared/kernel/database/index.ts';

export const tables = defineTables(({ table, text }) => ({
  posts: table('posts', {
    id: text('id').primaryKey(),
    memberId: text('member_id').notNull(),
    /** The author's name at the time of writing. */
    author: text('author').notNull(),
    title: text('title').notNull(),
    body: text('body').notNull(),
    createdAt: text('created_at').notNull(),
  }),
  comments: table('comments', {
    id: text('id').primaryKey(),
    postId: text('post_id').notNull(),
    memberId: text('member_id').notNull(),
    author: text('author').notNull(),
    body: text('body').notNull(),
    createdAt: text('created_at').notNull(),
  }),
}));
