import { type Client, page } from 'kerf/contract';
import { answer, idParam, pageQuery, Resources } from 'kerf/http-api';
import { board, comment, newComment, newPost, post, thread } from './contract.ts';

export function routes(self: Client<typeof board>): Resources {
  return new Resources('board', board)
    .get('/posts', 'Posts, the latest first', { query: pageQuery, answers: { 200: page(post) } }, async ({ query }) =>
      answer(200, await self.list(query)),
    )
    .post('/posts', 'Write a post', { member: true, body: newPost, answers: { 201: post } }, async ({ body, member }) =>
      answer(201, await self.write({ ...body, memberId: member })),
    )
    .get(
      '/posts/:id',
      'A post with its comments',
      { params: idParam, answers: { 200: thread }, refusals: ['not-found'] },
      async ({ params }) => answer(200, await self.read(params)),
    )
    .post(
      '/posts/:id/comments',
      'Comment on a post',
      { member: true, params: idParam, body: newComment, answers: { 201: comment }, refusals: ['not-found'] },
      async ({ params, body, member }) =>
        answer(201, await self.comment({ ...body, postId: params.id, memberId: member })),
    );
}
