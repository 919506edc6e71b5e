import { expect, it } from 'vitest';
import { z } from 'zod';
import { answer, type Endpoint, Resources } from './index.ts';

/** What an endpoint with these parameters answers to a request: the parameters as its handler got them. */
async function ask(parts: Partial<Endpoint>, path: string, headers: Record<string, string> = {}) {
  const endpoint = { method: 'get', path: '/found/:in?', about: 'Finds', answers: { 200: z.object({}) }, ...parts };
  const resources = new Resources('test').add(endpoint as Endpoint, async ({ params, query, headers: given }) =>
    answer(200, { params, query, headers: given }),
  );
  const response = await resources.app.fetch(new Request(`http://shop${path}`, { headers }));
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

const tags = z.array(z.string().max(3));
const query = z.object({
  tag: tags.optional(),
  n: z.array(z.coerce.number().int()).max(2).default([7]),
  word: z.string().optional(),
});

it.each([
  ['/found', { n: [7] }],
  ['/found?tag=a', { tag: ['a'], n: [7] }],
  ['/found?tag=a&tag=b&n=1&n=2', { tag: ['a', 'b'], n: [1, 2] }],
  ['/found?tag=a,b', { tag: ['a,b'], n: [7] }],
  ['/found?tag=&word=x', { tag: [''], n: [7], word: 'x' }],
  ['/found?word=x&word=y', { n: [7], word: 'x' }],
])('takes a list in the query as it is described: %s', async (path, taken) => {
  expect(await ask({ query }, path)).toEqual({ status: 200, body: { query: taken } });
});

it('says which entry of a list does not fit', async () => {
  const { status, body } = await ask({ query }, '/found?tag=a&tag=long&n=1&n=x');
  expect([status, (body.issues as { path: string }[]).map(({ path }) => path)]).toEqual([422, ['tag.1', 'n.1']]);
});

it('takes lists in the path and in headers with commas', async () => {
  const parts = { params: z.object({ in: tags }), headers: z.object({ 'x-tags': tags, 'x-word': z.string() }) };
  const { body } = await ask(parts, '/found/a,b', { 'x-tags': 'c, d', 'x-word': 'e,f' });
  expect(body).toEqual({ params: { in: ['a', 'b'] }, headers: { 'x-tags': ['c', 'd'], 'x-word': 'e,f' } });
});
