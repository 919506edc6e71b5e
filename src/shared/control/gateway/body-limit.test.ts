import { Hono } from 'hono';
import { expect, it } from 'vitest';
import { noProxies } from '../http-server/index.ts';
import { bodyLimit, unfinishedBodies } from './body-limit.ts';
import { knowClient } from './client-address.ts';

function open() {
  const app = new Hono();
  app.use(knowClient(noProxies));
  app.use(bodyLimit(1_024, unfinishedBodies(2)));
  app.post('/', async (c) => c.text(await c.req.text()));
  const send = async (from: string, body: ReadableStream | string) => {
    const request = { method: 'POST', body, duplex: 'half' as const, headers: { 'transfer-encoding': 'chunked' } };
    const answer = await app.request('/', request, { incoming: { socket: { remoteAddress: from } } });
    return answer.status === 200 ? answer.text() : answer.status;
  };
  return { send };
}

/** Creates a body whose first part has arrived. */
function unfinished() {
  let controller!: ReadableStreamDefaultController;
  const body = new ReadableStream({
    start(given) {
      controller = given;
      controller.enqueue(Buffer.from('a'));
    },
  });
  return { body, end: () => controller.close() };
}

it('limits the unfinished bodies of one client, and accepts bodies of others', async () => {
  const { send } = open();
  const [one, two] = [unfinished(), unfinished()];
  const sent = [one, two].map(({ body }) => send('203.0.113.1', body));
  expect(await send('203.0.113.1', 'b')).toBe(429);
  expect(await send('203.0.113.2', 'b')).toBe('b');
  for (const { end } of [one, two]) end();
  expect(await Promise.all(sent)).toEqual(['a', 'a']);
  expect(await send('203.0.113.1', 'b')).toBe('b');
});

it('refuses a body that is too large', async () => {
  const { send } = open();
  expect([await send('203.0.113.1', 'x'.repeat(1_025)), await send('203.0.113.1', 'x')]).toEqual([413, 'x']);
});
