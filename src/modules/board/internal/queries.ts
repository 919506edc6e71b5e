import { asc, desc, eq, lt } from 'drizzle-orm';
import type { Reader } from '../../../shared/data/index.ts';
import { refusal } from '../../../shared/errors/index.ts';
import { tables } from './tables.ts';

interface Written {
  id: string;
  memberId: string;
  author: string;
  createdAt: string;
}

export async function list({ limit, cursor }: { limit: number; cursor?: string }, reader: Reader) {
  const { posts } = tables(reader);
  const rows = await reader.db
    .select()
    .from(posts)
    .where(cursor === undefined ? undefined : lt(posts.id, cursor))
    .orderBy(desc(posts.id))
    .limit(limit + 1);
  const items = rows.slice(0, limit).map(withAuthor);
  return { items, next: rows.length > limit ? items.at(-1)!.id : null };
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
