import { asc, eq } from 'drizzle-orm';
import { defineTables, insertInto, type Migration, rowBy } from 'kerf/database';
import { orNotFound } from 'kerf/errors';
import { handle, pagesOf } from 'kerf/module';
import { board } from '../contract.ts';

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

export const addPost = insertInto((unit) => tables(unit).posts);
export const addComment = insertInto((unit) => tables(unit).comments);
export const postById = rowBy((reader) => tables(reader).posts, 'id');
const posts = pagesOf('board.list', (reader) => tables(reader).posts, 'id', 'descending');

export const list = handle(board.operations.list, (request, reader) => posts(reader, request, withAuthor));

export const read = handle(board.operations.read, async ({ id }, reader) => {
  const post = orNotFound(await postById(reader, id), 'post');
  const { comments } = tables(reader);
  const rows = await reader.db
    .select()
    .from(comments)
    .where(eq(comments.postId, id))
    .orderBy(asc(comments.id))
    .limit(1_000);
  return { ...withAuthor(post), comments: rows.map(({ postId: _, ...row }) => withAuthor(row)) };
});

export function withAuthor<R extends { memberId: string; author: string }>({ memberId, author, ...rest }: R) {
  return { ...rest, author: { id: memberId, name: author } };
}
