import { randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import type { Kerf } from '../../harness/kerf.ts';
import { send } from './raw.ts';
import { expectRefused, type Refused } from './refused.ts';

const id = randomUUID();
const get = (path: string, about: string, outcome: string): Refused => ({ method: 'GET', path, about, with: outcome });

export function pathCases(around: { kerf: Kerf; token: string }): void {
  const asMember = (requests: Refused[]) =>
    requests.map((each) => ({ ...each, headers: { authorization: `Bearer ${around.token}`, ...each.headers } }));
  it('returns 404 for unknown paths', () => expectRefused(around.kerf, unknownPaths));
  it('lists the allowed methods of a resource', async () => {
    await expectRefused(around.kerf, wrongMethods);
    const { headers } = await send(around.kerf.url, { method: 'DELETE', path: '/posts' });
    expect(headers.allow).toBe('GET, POST, HEAD, OPTIONS');
  });
  it('refuses malformed ids', () => expectRefused(around.kerf, asMember(garbageIds)));
  it('refuses list parameters out of range', () => expectRefused(around.kerf, asMember(listParameters)));
  it('answers malformed requests with a problem', () => expectRefused(around.kerf, unreadable));
  it('refuses searches that are too long', () => expectRefused(around.kerf, searches));
}

const unknownPaths: Refused[] = [
  '/',
  '/nowhere',
  '/orders/',
  `/orders/${id}/nothing`,
  `/orders/${id}/summary/more`,
  '//orders',
  '/ORDERS',
  '/%00',
  '/docs/../app.js',
  '/docs/%2e%2e%2fapp.js',
  '/docs/..%5c..%5capp.js',
  '/docs/nothing.js',
  '/ops/topology',
  '/ops/outbox',
  '/metrics',
  '/modules/orders/place',
  '/events/orders',
  '/routes/orders/orders',
  '/__proto__',
  '/constructor',
  `/${'a'.repeat(8_000)}`,
].map((path) => get(path, 'an unknown path', '404 not-found'));

const resources: [path: string, methods: string][] = [
  ['/members', 'POST'],
  ['/members/me', 'GET'],
  ['/sessions', 'POST'],
  ['/products', 'GET'],
  ['/products/WAX', 'GET PUT'],
  ['/orders', 'GET POST'],
  [`/orders/${id}`, 'GET'],
  [`/orders/${id}/cancel`, 'POST'],
  [`/orders/${id}/summary`, 'GET'],
  [`/payments/${id}`, 'GET'],
  ['/messages', 'GET'],
  ['/posts', 'GET POST'],
  [`/posts/${id}`, 'GET'],
  [`/posts/${id}/comments`, 'POST'],
  ['/recommendations', 'GET'],
  ['/healthz', 'GET'],
  ['/readyz', 'GET'],
];

const wrongMethods: Refused[] = resources.flatMap(([path, methods]) =>
  ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']
    .filter((method) => !methods.split(' ').includes(method))
    .map((method) => ({ method, path, about: 'a wrong method', with: '405 method-not-allowed' })),
);

const garbageIds: Refused[] = [
  'x',
  '1',
  '-1',
  'null',
  '__proto__',
  '%00',
  '%F0%9F%AA%9A',
  '%E0%A4%A',
  "'%20OR%201=1--",
  '..%2F..%2Fetc%2Fpasswd',
  `${id}x`,
  '0'.repeat(5_000),
].flatMap((garbage) =>
  [
    { method: 'GET', path: `/orders/${garbage}` },
    { method: 'GET', path: `/orders/${garbage}/summary` },
    { method: 'POST', path: `/orders/${garbage}/cancel` },
    { method: 'GET', path: `/payments/${garbage}` },
    { method: 'GET', path: `/posts/${garbage}` },
    {
      method: 'POST',
      path: `/posts/${garbage}/comments`,
      body: '{"body":"text"}',
      headers: { 'content-type': 'application/json' },
    },
  ].map((each) => ({ ...each, about: 'a garbage id', with: '422 invalid-input' })),
);

const badLimits = ['0', '-1', '101', '1.5', '1e308', '9007199254740992', 'many', '%00', 'NaN', 'Infinity', '[]'];

const listParameters: Refused[] = ['/products', '/orders', '/messages', '/posts'].flatMap((path) => [
  ...badLimits.map((limit) => get(`${path}?limit=${limit}`, 'a bad limit', '422 invalid-input')),
  get(`${path}?cursor=${'c'.repeat(513)}`, 'a long cursor', '422 invalid-input'),
  get(`${path}?cursor=%00`, 'a cursor with NUL', '422 invalid-input'),
  ...['', 'c', 'LIMITED-1', 'TElNSVRFRC0x', '01a20574-e281-7377-abb7-f6344bd30f2d'].map((cursor) =>
    get(`${path}?cursor=${cursor}`, 'a cursor that no answer gave', '422 invalid-input'),
  ),
]);

const unreadable: Refused[] = [
  get(`/products?query=${'q'.repeat(20_000)}`, 'a search larger than a request', '400 malformed-request'),
  get(`/products?${'a=1&'.repeat(100_000)}`, '100,000 parameters', '400 malformed-request'),
  {
    ...get('/posts', 'a header of 20,000 letters', '400 malformed-request'),
    headers: { 'x-long': 'x'.repeat(20_000) },
  },
  { ...get('/posts', 'a host that can be none', '400 malformed-request'), headers: { host: 'no host' } },
  { ...get('/posts', 'a port that can be none', '400 malformed-request'), headers: { host: 'localhost:99999' } },
];

const searches: Refused[] = [
  get(`/products?query=${'q'.repeat(201)}`, 'a long search', '422 invalid-input'),
  get(`/products?query=${'q'.repeat(10_000)}`, 'a very long search', '422 invalid-input'),
  get(`/recommendations?${'a=1&'.repeat(3_000)}`, '3,000 parameters', '422 invalid-input'),
  get('/products?query=%00', 'a search with NUL', '422 invalid-input'),
  get('/recommendations', 'no sku', '422 invalid-input'),
  get('/recommendations?sku=', 'an empty sku', '422 invalid-input'),
  get(`/recommendations?sku=${'s'.repeat(65)}`, 'a long sku', '422 invalid-input'),
  get('/recommendations?sku=%00', 'a sku with NUL', '422 invalid-input'),
  get(`/products/${'s'.repeat(65)}`, 'a long sku', '422 invalid-input'),
  get('/products/%F0%9F%AA%9A', 'a sku that can be none', '404 not-found'),
  get('/products/__proto__', 'a sku that can be none', '404 not-found'),
];
