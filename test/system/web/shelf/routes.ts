import type { Client } from 'kerf/contract';
import { answer, Resources } from 'kerf/http-api';
import { z } from 'zod';
import { box, name, type shelf } from './contract.ts';

const params = z.object({ name });
const content = z.strictObject({ content: z.string().min(1).max(500) });

export function routes(self: Client<typeof shelf>): Resources {
  return new Resources('shelf')
    .get('/boxes/:name', 'A box', { params, answers: { 200: box }, refusals: ['not-found'] }, async ({ params }) =>
      answer(200, await self.read(params)),
    )
    .put('/boxes/:name', 'Fills a box', { params, body: content, answers: { 200: box } }, async ({ params, body }) =>
      answer(200, await self.write({ ...params, ...body })),
    )
    .patch('/boxes/:name', 'Adds to a box', { params, body: content, answers: { 200: box } }, async (request) => {
      const { content } = await self.read(request.params);
      return answer(200, await self.write({ ...request.params, content: content + request.body.content }));
    })
    .delete('/boxes/:name', 'Removes a box', { params, answers: { 204: z.null() } }, async ({ params }) => {
      await self.remove(params);
      return answer(204, null);
    });
}
