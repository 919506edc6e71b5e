import { expect, it } from 'vitest';
import type { System } from './system.ts';

const resources = [
  'post /members',
  'get /members/me',
  'post /sessions',
  'delete /sessions/current',
  'get /products',
  'get /products/{sku}',
  'post /orders',
  'get /orders',
  'get /orders/{id}',
  'post /orders/{id}/cancel',
  'get /orders/{id}/summary',
  'get /payments/{id}',
  'get /messages',
  'get /posts',
  'post /posts',
  'get /posts/{id}',
  'post /posts/{id}/comments',
  'get /recommendations',
  'get /healthz',
  'get /readyz',
  'get /startupz',
];

interface Description {
  openapi: string;
  info: { title: string; version: string };
  paths: Record<string, Record<string, { operationId: string; responses: Record<string, { description: string }> }>>;
  components: Record<string, Record<string, unknown>>;
}

export function referenceCases(system: System): void {
  it('is alive and ready', async () => {
    expect(await system.shop.get('/healthz')).toMatchObject({ status: 200 });
    expect(await system.shop.get('/readyz')).toMatchObject({ status: 200 });
  });

  it('describes every resource in OpenAPI 3.1', async () => {
    const { body } = await system.shop.get<Description>('/openapi.json');
    expect(body.openapi).toMatch(/^3\.1\./);
    expect(body.info).toMatchObject({ title: expect.any(String), version: expect.any(String) });
    const operations = Object.entries(body.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({ name: `${method} ${path}`, ...operation })),
    );
    expect(operations.map(({ name }) => name)).toEqual(expect.arrayContaining(resources));
    expect(new Set(operations.map(({ operationId }) => operationId)).size).toBe(operations.length);
    for (const { name, responses } of operations) {
      expect(Object.keys(responses), name).toEqual(expect.arrayContaining([expect.stringMatching(/^20[0-4]$/)]));
      for (const response of Object.values(responses)) expect(response.description, name).toBeTruthy();
    }
  });

  it('defines everything that its references name', async () => {
    const { body } = await system.shop.get<Description>('/openapi.json');
    for (const [, pointer] of JSON.stringify(body).matchAll(/"\$ref":"#\/([^"]+)"/g)) {
      const found = pointer!.split('/').reduce<unknown>((at, name) => (at as Record<string, unknown>)?.[name], body);
      expect(found, pointer).toBeTypeOf('object');
    }
  });

  it('serves the complete reference page without external resources', async () => {
    const page = await fetch(`${system.shop.url}/docs`);
    const html = await page.text();
    expect(page.headers.get('content-type')).toMatch(/^text\/html/);
    expect(page.headers.get('content-security-policy')).toContain("default-src 'self'");
    expect(html).not.toMatch(/https?:|(src|href)="\/\//);
    const assets = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path]) => path!);
    expect(assets.length).toBeGreaterThan(1);
    for (const path of assets) {
      const asset = await fetch(`${system.shop.url}${path}`);
      expect(asset.status, path).toBe(200);
      expect((await asset.text()).length, path).toBeGreaterThan(20);
    }
  });

  everyAnswer(system);
}

function everyAnswer(system: System): void {
  const requests: [method: string, path: string, body?: unknown][] = [
    ['GET', '/products'],
    ['GET', '/posts'],
    ['GET', '/orders'],
    ['GET', '/members/me'],
    ['GET', '/healthz'],
    ['GET', '/docs'],
    ['GET', '/openapi.json'],
    ['GET', '/nowhere'],
    ['DELETE', '/orders'],
    ['POST', '/orders', '{'],
    ['POST', '/members', {}],
    ['POST', '/posts', 'x'.repeat(1024 * 1024 + 1)],
  ];

  it('puts a request id and security headers on every answer', async () => {
    for (const [method, path, body] of requests) {
      const { headers } = await answerTo(method, path, body);
      const where = `${method} ${path}`;
      expect(headers.get('x-request-id'), where).toMatch(/^[\w-]{8,64}$/);
      expect(headers.get('x-content-type-options'), where).toBe('nosniff');
      expect(headers.get('x-frame-options'), where).toBe('DENY');
      expect(headers.get('referrer-policy'), where).toBe('no-referrer');
      expect(headers.get('x-powered-by'), where).toBeNull();
    }
  });

  it('keeps idle connections open longer than a load balancer does', async () => {
    const { headers } = await fetch(`${system.shop.url}/posts`);
    expect(headers.get('keep-alive')).toBe('timeout=65');
  });

  it('keeps a valid request id from the client and replaces an invalid one', async () => {
    const given = (id: string) => fetch(`${system.shop.url}/posts`, { headers: { 'x-request-id': id } });
    expect((await given('a-request-of-mine')).headers.get('x-request-id')).toBe('a-request-of-mine');
    expect((await given('<script>')).headers.get('x-request-id')).toMatch(/^[\w-]{8,64}$/);
  });

  function answerTo(method: string, path: string, body: unknown): Promise<Response> {
    return fetch(`${system.shop.url}${path}`, {
      method,
      ...(body !== undefined && {
        body: typeof body === 'string' ? body : JSON.stringify(body),
        headers: { 'content-type': 'application/json' },
      }),
    });
  }
}
