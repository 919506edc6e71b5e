import { createHmac } from 'node:crypto';
import { compress } from 'hono/compress';
import { createMiddleware } from 'hono/factory';
import { HTTPException } from 'hono/http-exception';
import { timing } from 'hono/timing';
import type { Client } from 'kerf/contract';
import { refusal } from 'kerf/errors';
import { answer, Resources } from 'kerf/http-api';
import { z } from 'zod';
import { box, name, type shelf } from './contract.ts';
import { addStreams } from './streams.ts';

/** The key of the webhooks. */
export const hookKey = 'a key';
const signature = z.object({ 'x-signature': z.string() });

const marks = createMiddleware(async (c, next) => {
  await next();
  c.header('x-shelf', 'served');
});
const guard = createMiddleware(async (c, next) => {
  if (c.req.header('x-key') === 'broken') throw new Error('the guard broke');
  if (c.req.header('x-key') !== 'key') throw new HTTPException(403, { message: 'no key' });
  await next();
});
const readsFirst = createMiddleware(async (c, next) => {
  c.set('seen', Object.keys(await c.req.json()));
  await next();
});
const fails = createMiddleware(async () => {
  throw refusal('conflict', 'refused by a middleware');
});

type Box = z.output<typeof box>;
const params = z.object({ name });
const content = z.strictObject({ content: z.string().min(1).max(500) });
const versioned = (given: Box) => answer(200, given, { etag: `"${given.version}"` });
const details = { params, etag: true, answers: { 200: box }, refusals: ['not-found'] } as const;

export function routes(self: Client<typeof shelf>): Resources {
  return addStreams(new Resources('shelf'))
    .use(marks, timing())
    .get('/boxes/:name', 'A box', details, async ({ params }) => versioned(await self.read(params)))
    .get('/labels/:name', 'A box by its label', details, async ({ params }) => answer(200, await self.read(params)))
    .put('/boxes/:name', 'Fills a box', { ...details, body: content }, async ({ params, body, preconditions }) =>
      versioned(await self.write({ ...params, ...body, preconditions })),
    )
    .patch('/boxes/:name', 'Adds to a box', { ...details, body: content }, async ({ params, body, preconditions }) => {
      const { content } = await self.read(params);
      return versioned(await self.write({ ...params, content: content + body.content, preconditions }));
    })
    .post(
      '/hooks',
      'Takes a webhook whose signature covers the bytes',
      { raw: { maxBytes: 2 * 1024 * 1024 }, headers: signature, answers: { 200: z.string() }, refusals: ['forbidden'] },
      async ({ body, headers }) => {
        const wanted = createHmac('sha256', hookKey).update(body).digest('hex');
        if (headers['x-signature'] !== wanted) throw refusal('forbidden', 'the signature is wrong');
        return answer(200, body, { 'content-type': 'application/octet-stream' });
      },
    )
    .post(
      '/notes',
      'Takes a note, through middleware of its own',
      { body: content, answers: { 200: z.any() }, use: [guard, readsFirst, compress({ threshold: 0 })] },
      async ({ body, get }) => answer(200, { ...body, seen: get('seen') }, { 'content-type': 'application/json' }),
    )
    .get('/fails', 'Fails', { answers: { 200: z.any() }, use: [fails] }, async () => answer(200, {}))
    .delete(
      '/boxes/:name',
      'Removes a box',
      { params, etag: true, answers: { 204: z.null() } },
      async ({ params, preconditions }) => {
        await self.remove({ ...params, preconditions });
        return answer(204, null);
      },
    );
}
