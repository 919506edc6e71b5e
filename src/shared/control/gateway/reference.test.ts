import { Hono } from 'hono';
import { describe, expect, it } from 'vitest';
import { mountReference } from './reference.ts';

describe('the API reference', () => {
  const app = new Hono();
  mountReference(app, []);

  it.each(['/openapi.json', '/docs', '/docs/start.js', '/docs/swagger-ui.css', '/docs/swagger-ui-bundle.js'])(
    'sends %s once to a client with a cache',
    async (path) => {
      const first = await app.request(path);
      const etag = first.headers.get('etag')!;
      expect([first.status, etag]).toEqual([200, expect.stringMatching(/^"[\w-]{22}"$/)]);
      for (const known of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
        const again = await app.request(path, { headers: { 'if-none-match': known } });
        expect([again.status, again.headers.get('etag'), await again.text()]).toEqual([304, etag, '']);
      }
      const other = await app.request(path, { headers: { 'if-none-match': '"other"' } });
      expect(other.status).toBe(200);
    },
  );

  it('has no other files', async () => {
    for (const path of ['/docs/nothing', '/docs/swagger-ui.js', '/docs/..%2f..%2fpackage.json']) {
      expect((await app.request(path)).status).toBe(404);
    }
  });
});
