import { command, contract, event, id, instant, page, pageRequest, query, text } from 'kerf/contract';
import { z } from 'zod';

const author = z.object({ id, name: z.string() });
export const comment = z.object({ id, author, body: z.string(), createdAt: instant });
export const post = z.object({ id, author, title: z.string(), body: z.string(), createdAt: instant });
export const thread = post.extend({ comments: z.array(comment) });
export type Post = z.infer<typeof post>;
export type Comment = z.infer<typeof comment>;

export const newPost = z.strictObject({ title: text(200, 1), body: text(20_000, 1) });
export const newComment = z.strictObject({ body: text(5_000, 1) });

export const board = contract('board', {
  operations: {
    write: command({ summary: 'Writes a post', input: newPost.extend({ memberId: id }), output: post }),
    comment: command({
      summary: 'Comments on a post',
      input: newComment.extend({ memberId: id, postId: id }),
      output: comment,
    }),
    list: query({ summary: 'Posts, the latest first', input: pageRequest, output: page(post) }),
    read: query({ summary: 'A post with its comments', input: z.strictObject({ id }), output: thread }),
  },
  events: {
    written: event('post-written', 1, 'postId', z.object({ postId: id, memberId: id, title: z.string() })),
  },
});
