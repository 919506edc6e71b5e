import { asc, desc, eq, lt } from 'drizzle-orm';
import { Cursors } from '../../../shared/kernel/contract/index.ts';
import type { Reader } from '../../../shared/kernel/database/index.ts';
import { refusal } from '../../../shared/kernel/errors/index.ts';
import { tables } from './tables.ts';

interface Written {
  id: string;
  memberId: string;
  author: string;
  createdAt: string;
}

const cursors = new Cursors('board.list');

export async function list({ limit, cursor }: { limit: number; cursor?: string }, reader: Reader) {
  const { posts } = tables(reader);
  const before = cursors.keyOf(cursor);
  const rows = await reader.db
    .select()
    .from(posts)
    .where(before === undefined ? undefined : lt(posts.id, before))
    .orderBy(desc(posts.id))
    .limit(limit + 1);
  return cursors.page(rows, limit, ({ id }) => id, withAuthor);
}

export async function read({ id }: { id: string }, reader: Reader) {
  const post = await findPost(reader, id);
  const { comments } = tables(reader);
  const rows = await reader.db
    .select()
    .from(comments)
    .where(eq(comments.postId, id))
    .orderBy(asc(comments.id))
    .limit(1_000);
  return { ...withAuthor(post), comments: rows.map(({ postId: _, ...row }) => withAuthor(row)) };
}

export async function findPost(reader: Reader, id: string) {
  const { posts } = tables(reader);
  const [row] = await reader.db.select().from(posts).where(eq(posts.id, id));
  if (!row) throw refusal('not-found', 'there is no such post');
  return row;
}

function withAuthor<R extends Written>({ memberId, author, ...rest }: R) {
  return { ...rest, author: { id: memberId, name: author } };
}
