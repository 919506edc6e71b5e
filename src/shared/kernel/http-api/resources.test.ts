import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type Principal, runInContext } from '../context/index.ts';
import { answer, type Endpoint } from './endpoint.ts';
import { Resources } from './resources.ts';

/** Calls an endpoint with these parameter schemas. Its answer contains the parameters that the handler received. */
async function ask(parts: Partial<Endpoint>, path: string, headers: Record<string, string> = {}) {
  const endpoint = { method: 'get', path: '/found/:in?', summary: 'Finds', answers: { 200: z.object({}) }, ...parts };
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
])('reads a list in the query: %s', async (path, taken) => {
  expect(await ask({ query }, path)).toEqual({ status: 200, body: { query: taken } });
});

it('refuses a repeated single value, even with equal values', async () => {
  for (const words of ['word=x&word=y', 'word=x&word=x', 'word=&word=x']) {
    const { status, body } = await ask({ query }, `/found?${words}`);
    expect([status, body.code, body.detail]).toEqual([
      400,
      'malformed-request',
      'the parameter word is given 2 times; give it once',
    ]);
  }
});

it('names the invalid entry of a list', async () => {
  const { status, body } = await ask({ query }, '/found?tag=a&tag=long&n=1&n=x');
  expect([status, (body.issues as { path: string }[]).map(({ path }) => path)]).toEqual([422, ['tag.1', 'n.1']]);
});

it('reads comma-separated lists in the path and in headers', async () => {
  const parts = { params: z.object({ in: tags }), headers: z.object({ 'x-tags': tags, 'x-word': z.string() }) };
  const { body } = await ask(parts, '/found/a,b', { 'x-tags': 'c, d', 'x-word': 'e,f' });
  expect(body).toEqual({ params: { in: ['a', 'b'] }, headers: { 'x-tags': ['c', 'd'], 'x-word': 'e,f' } });
});

it('accepts numbers only in decimal digits', async () => {
  const numbers = {
    query: z.object({ n: z.coerce.number().int().default(7), share: z.coerce.number().optional() }),
  };
  const statuses = async (name: string, texts: string[]) =>
    Promise.all(texts.map(async (text) => (await ask(numbers, `/found?${name}=${encodeURIComponent(text)}`)).status));
  expect(new Set(await statuses('n', ['0', '7', '-7', '007', '100']))).toEqual(new Set([200]));
  const wrong = [
    '',
    ' ',
    '1e2',
    '0x10',
    '0b1',
    '+5',
    ' 5',
    '5 ',
    '1.0',
    '1.',
    '.5',
    '1_000',
    '1,000',
    '٥',
    'Infinity',
    '-',
  ];
  expect(new Set(await statuses('n', wrong))).toEqual(new Set([422]));
  expect(await statuses('share', ['0.5', '-0.5', '1e2', '.5', '5.', '+5'])).toEqual([200, 200, 422, 422, 422, 422]);
  expect((await ask({ query: z.object({ n: z.array(z.coerce.number().int()) }) }, '/found?n=1&n=1e2')).status).toBe(
    422,
  );
});

it('reads only UTF-8 bodies without a content encoding', async () => {
  const resources = new Resources('test').add(
    { method: 'post', path: '/', summary: 'Takes', body: z.object({ text: z.string() }), answers: { 200: z.string() } },
    async ({ body }) => answer(200, body.text),
  );
  const send = async (body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}) => {
    const type = { 'content-type': 'application/json', ...headers };
    const response = await resources.app.fetch(new Request('http://shop/', { method: 'POST', body, headers: type }));
    return `${response.status} ${((await response.json()) as { code?: string }).code}`;
  };
  const fits = '{"text":"é"}';
  for (const type of ['application/json;charset=utf-8', 'application/json; charset="UTF-8"', 'application/json; v=1'])
    expect(await send(fits, { 'content-type': type })).toBe('200 undefined');
  expect(await send(fits, { 'content-encoding': 'identity' })).toBe('200 undefined');
  const refused = '400 malformed-body';
  for (const type of [
    'application/json; charset=utf-16',
    'application/json;v=1;charset="latin1"',
    'application/json; charset=',
    'application/json; charset=utf-8; charset=utf-16',
    'application/json; charset=utf-8; charset=utf-8',
    "application/json; charset*=utf-8''utf-16",
    'application/json; charset=utf-8; charset*0=utf-16',
    'application/json; v="; charset=utf-8"; charset=utf-16',
    'application/json; charset=utf-8 charset=utf-16',
    'application/json; a=b, text/plain',
  ])
    expect(await send(fits, { 'content-type': type })).toBe(refused);
  for (const encoding of ['gzip', 'br', 'x-own', 'identity, gzip'])
    expect(await send(fits, { 'content-encoding': encoding })).toBe(refused);
  for (const bytes of [[0xff], [0xc3], [0xc0, 0xaf], [0xed, 0xa0, 0x80]])
    expect(await send(Buffer.concat([Buffer.from('{"text":"'), Buffer.from(bytes), Buffer.from('"}')]))).toBe(refused);
});

it.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty'])('ignores a parameter named %s', async (name) => {
  const headers = z.object({ n: z.string().optional() });
  const { status } = await ask({ query, headers }, `/found?${name}=1&${name}=2&word=x`, { [name]: '1' });
  expect(status).toBe(200);
});

it('adds an endpoint by its method, with typed parameters and body', async () => {
  const body = z.object({ word: z.string() });
  const resources = new Resources('test')
    .get('/words/:word', 'A word', { params: body, answers: { 200: body } }, async ({ params }) => answer(200, params))
    .post('/words', 'Adds a word', { body, answers: { 201: body } }, async ({ body: { word } }) =>
      answer(201, { word }),
    );
  expect(resources.endpoints).toMatchObject([
    { method: 'get', path: '/words/:word', summary: 'A word' },
    { method: 'post', path: '/words', summary: 'Adds a word' },
  ]);
  const read = await resources.app.fetch(new Request('http://shop/words/kerf'));
  expect([read.status, await read.json()]).toEqual([200, { word: 'kerf' }]);
  const headers = { 'content-type': 'application/json' };
  const sent = { method: 'POST', headers, body: JSON.stringify({ word: 'saw' }) };
  const added = await resources.app.fetch(new Request('http://shop/words', sent));
  expect([added.status, await added.json()]).toEqual([201, { word: 'saw' }]);
});

describe('an endpoint that asks for a member or a role', () => {
  const editors = { roles: ['editor', 'owner'] } as const;

  /** Calls an endpoint on behalf of `principal`. Resolves with the status, the code and the detail. */
  async function askAs(principal: Principal, parts: Partial<Endpoint>) {
    const context = { ...principal, requestId: 'r', caller: 'gateway', deadline: Date.now() + 5_000 };
    const { status, body } = await runInContext(context, () => ask(parts, '/found'));
    return [status, ...(body.code ? [body.code, body.detail] : [])];
  }

  it.each<[string, Partial<Endpoint>, Principal]>([
    ['no one', {}, {}],
    ['a member', { member: true }, { member: 'ann' }],
    ['a member with one of the roles', editors, { member: 'ann', roles: ['clerk', 'owner'] }],
    ['an API key with one of the roles', editors, { roles: ['editor'] }],
    [
      'a member with the role, where a member is needed too',
      { member: true, ...editors },
      { member: 'a', roles: ['owner'] },
    ],
  ])('serves %s', async (_, parts, principal) => {
    expect(await askAs(principal, parts)).toEqual([200]);
  });

  it('answers 401 to an unknown caller', async () => {
    for (const parts of [{ member: true }, editors, { member: true, ...editors }])
      for (const principal of [{}, { member: '' }, { roles: [] }])
        expect(await askAs(principal, parts)).toEqual([401, 'unauthenticated', 'sign in and send the token']);
  });

  it('answers 403 to a caller without any of the roles, and names them', async () => {
    const without = [403, 'forbidden', 'this needs the role editor or owner'];
    const wrong = [
      [],
      ['clerk'],
      ['Editor'],
      ['editor '],
      ['edit', 'or'],
      ['ed\u0456tor'],
      ['editor,owner'],
      ['__proto__'],
    ];
    for (const roles of wrong) expect(await askAs({ member: 'ann', roles }, editors)).toEqual(without);
    expect(await askAs({ roles: ['clerk'] }, editors)).toEqual(without);
  });

  it('answers 403 to an API key where a member is needed', async () => {
    const forKeys = [403, 'forbidden', 'this is for members who have signed in, not for API keys'];
    expect(await askAs({ roles: ['editor'] }, { member: true })).toEqual(forKeys);
    expect(await askAs({ roles: ['editor'] }, { member: true, ...editors })).toEqual(forKeys);
  });
});
