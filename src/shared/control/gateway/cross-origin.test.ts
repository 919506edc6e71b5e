import { Hono } from 'hono';
import { expect, it } from 'vitest';
import { crossOrigin } from './cross-origin.ts';

const shop = 'https://shop.example.com';
const settings = {
  CORS_ORIGINS: [shop, 'http://localhost:5173'],
  CORS_CREDENTIALS: true,
  CORS_EXPOSED_HEADERS: ['etag', 'x-request-id'],
  CORS_MAX_AGE_S: 600,
};

async function ask(method: string, headers: Record<string, string>, given: Partial<typeof settings> = {}) {
  const app = new Hono();
  app.use(crossOrigin({ ...settings, ...given })!);
  app.get('/', (c) => c.text('served', 200, { vary: 'Accept' }));
  app.get('/fails', () => Promise.reject(new Error('no')));
  app.options('/', (c) => c.body(null, 204, { allow: 'GET' }));
  app.onError((_, c) => c.text('failed', 500));
  const path = headers.path ?? '/';
  const answer = await app.request(path, { method, headers });
  return { status: answer.status, text: await answer.text(), headers: Object.fromEntries(answer.headers) };
}

it('is off without origins', () => {
  expect(crossOrigin({ ...settings, CORS_ORIGINS: undefined })).toBeUndefined();
});

it('answers the preflight request of a listed origin', async () => {
  const { status, headers } = await ask('OPTIONS', {
    origin: shop,
    'access-control-request-method': 'PUT',
    'access-control-request-headers': 'authorization, if-match',
  });
  expect(status).toBe(204);
  expect(headers).toMatchObject({
    'access-control-allow-origin': shop,
    'access-control-allow-credentials': 'true',
    'access-control-allow-methods': 'GET,HEAD,POST,PUT,PATCH,DELETE',
    'access-control-allow-headers': 'authorization,if-match',
    'access-control-max-age': '600',
    vary: 'Origin, Access-Control-Request-Headers',
  });
});

it.each([
  'https://shop.example.com.evil.example',
  'https://SHOP.example.com',
  'http://shop.example.com',
  'https://shop.example.com:444',
  'null',
  '*',
])('refuses the preflight request of %s, and names the setting', async (origin) => {
  const { status, headers, text } = await ask('OPTIONS', { origin, 'access-control-request-method': 'GET' });
  expect([status, headers.vary, JSON.parse(text).detail]).toEqual([
    403,
    'Origin',
    expect.stringContaining('CORS_ORIGINS'),
  ]);
  expect(Object.keys(headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
});

it('lets a listed origin read the answer, also of an error, and keeps Vary', async () => {
  const served = await ask('GET', { origin: shop });
  expect([served.text, served.headers]).toEqual([
    'served',
    expect.objectContaining({
      'access-control-allow-origin': shop,
      'access-control-expose-headers': 'etag,x-request-id',
      vary: 'Accept, Origin',
    }),
  ]);
  const failed = await ask('GET', { origin: shop, path: '/fails' });
  expect([failed.status, failed.headers['access-control-allow-origin']]).toEqual([500, shop]);
});

it('serves any other origin, and a request without one, but shows browsers nothing', async () => {
  for (const headers of [{ origin: 'https://evil.example' }, {}] as Record<string, string>[]) {
    const { text, headers: answered } = await ask('GET', headers);
    expect([text, answered.vary, answered['access-control-allow-origin']]).toEqual([
      'served',
      'Accept, Origin',
      undefined,
    ]);
  }
});

it('leaves an OPTIONS request that is no preflight to its path', async () => {
  expect((await ask('OPTIONS', { origin: shop })).headers.allow).toBe('GET');
});

it('allows all origins with *', async () => {
  const given = { CORS_ORIGINS: ['*'], CORS_CREDENTIALS: false };
  const { headers } = await ask('GET', { origin: 'https://any.example' }, given);
  expect([headers['access-control-allow-origin'], headers.vary]).toEqual(['*', 'Accept']);
});
