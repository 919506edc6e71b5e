import { createAdaptorServer } from '@hono/node-server';
import { Hono } from 'hono';
import { Pool } from 'undici';
import { close, listen } from './listen.mjs';
import { price } from './work.mjs';

export async function open() {
  const app = new Hono().post('/price', async (c) => c.json(await price(await c.req.json())));
  const server = createAdaptorServer({ fetch: app.fetch });
  const pool = new Pool(`http://127.0.0.1:${await listen(server)}`, { connections: 128 });
  return [
    {
      name: 'hono and undici',
      async call(input) {
        const { statusCode, body } = await pool.request({
          method: 'POST',
          path: '/price',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(input),
        });
        if (statusCode !== 200) throw new Error(`hono answered ${statusCode}: ${await body.text()}`);
        return body.json();
      },
      async close() {
        await pool.close();
        await close(server);
      },
    },
  ];
}
