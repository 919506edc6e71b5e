import { once } from 'node:events';
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  request,
  type Server,
  type ServerResponse,
} from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { getRequestListener } from '@hono/node-server';
import { Hono } from 'hono';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ManualClock } from '../../kernel/context/index.ts';
import { silentLog } from '../../kernel/telemetry/index.ts';
import { noProxies, readTrustedProxies } from '../http-server/index.ts';
import { fallback } from './fallback.ts';

async function listening(listener: RequestListener): Promise<{ server: Server; port: number }> {
  const server = createServer(listener);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => void server.close().closeAllConnections());
  return { server, port: (server.address() as AddressInfo).port };
}

/** Opens a gateway with one resource, `/own`, in front of an application. */
async function inFrontOf(application: RequestListener, options = {}) {
  const { server, port } = await listening(application);
  const app = new Hono();
  const url = `http://127.0.0.1:${port}`;
  const settings = { url, timeoutMs: 10_000, proxies: noProxies, log: silentLog, ...options };
  app.use(fallback({ serves: (path) => path === '/own', ...settings }));
  app.get('/own', (c) => c.text('served here'));
  const answer = getRequestListener(app.fetch);
  const gateway = await listening((incoming, outgoing) => {
    outgoing.setHeader('cache-control', 'no-store').setHeader('x-request-id', 'the-request');
    return answer(incoming, outgoing);
  });
  return { application: server, port: gateway.port };
}

interface Sent {
  readonly method?: string;
  readonly headers?: Record<string, string | string[]>;
  readonly body?: string;
}

async function send(port: number, path: string, { body, ...options }: Sent = {}) {
  const sent = request({ port, host: '127.0.0.1', path, agent: false, ...options });
  sent.end(body);
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  return { status: response.statusCode, headers: response.headers, body: await text(response) };
}

const seen: RequestListener = async (incoming, outgoing) => {
  const { method, url, headers } = incoming;
  outgoing.setHeader('set-cookie', ['a=1', 'b=2']).writeHead(207, 'As It Was');
  outgoing.end(JSON.stringify({ method, url, headers, body: await text(incoming) }));
};

it('passes a request on as it is, and the answer back', async () => {
  const { port } = await inFrontOf(seen);
  const headers = { host: 'shop.example.com', cookie: 'x=1', 'content-length': '4', authorization: 'Bearer theirs' };
  const {
    status,
    headers: back,
    body,
  } = await send(port, '/a%2Fb/?q=%F0', { method: 'REPORT', headers, body: 'body' });
  expect({ status, ...JSON.parse(body) }).toMatchObject({
    ...{ status: 207, method: 'REPORT', url: '/a%2Fb/?q=%F0', body: 'body' },
    headers: { ...headers, 'x-forwarded-for': '127.0.0.1', 'x-forwarded-host': 'shop.example.com' },
  });
  expect(back).toMatchObject({ 'set-cookie': ['a=1', 'b=2'], 'x-request-id': 'the-request' });
  expect(back).not.toHaveProperty('cache-control');
});

it('serves its own resources itself, whatever the method', async () => {
  const { port } = await inFrontOf(seen);
  expect(await send(port, '/own?x=1')).toMatchObject({ status: 200, body: 'served here' });
  expect((await send(port, '/own', { method: 'DELETE' })).status).toBe(404);
});

it('passes on answers without a body', async () => {
  const { port } = await inFrontOf((incoming, outgoing) => {
    if (incoming.method === 'HEAD') outgoing.writeHead(200, { 'content-length': '7', 'set-cookie': ['a', 'b'] }).end();
    else outgoing.writeHead(304, { etag: '"1"' }).end();
  });
  expect(await send(port, '/x')).toMatchObject({ status: 304, headers: { etag: '"1"' }, body: '' });
  const head = { status: 200, headers: { 'content-length': '7', 'set-cookie': ['a', 'b'] }, body: '' };
  expect(await send(port, '/x', { method: 'HEAD' })).toMatchObject(head);
});

it('believes only a trusted proxy about the client, and drops headers of one connection', async () => {
  const headers = { 'x-forwarded-for': '203.0.113.9', forwarded: 'for=203.0.113.9', connection: 'x-hop', 'x-hop': '1' };
  const untrusted = JSON.parse((await send((await inFrontOf(seen)).port, '/', { headers })).body).headers;
  expect(untrusted['x-forwarded-for']).toBe('127.0.0.1');
  expect(Object.keys(untrusted)).not.toEqual(expect.arrayContaining(['forwarded']));
  expect(Object.keys(untrusted)).not.toEqual(expect.arrayContaining(['x-hop']));
  const { port } = await inFrontOf(seen, { proxies: readTrustedProxies('127.0.0.1') });
  const trusted = JSON.parse((await send(port, '/', { headers })).body).headers;
  expect(trusted).toMatchObject({ 'x-forwarded-for': '203.0.113.9, 127.0.0.1', forwarded: 'for=203.0.113.9' });
});

it('passes only the path on when the request names the whole address', async () => {
  const { port } = await inFrontOf(seen);
  const { body } = await send(port, 'http://elsewhere.example.com/path?q=1');
  expect(JSON.parse(body).url).toBe('/path?q=1');
});

it('streams both ways: each part of a body arrives before the next is sent', async () => {
  const { port } = await inFrontOf((incoming, outgoing) => void incoming.pipe(outgoing));
  const sent = request({ port, host: '127.0.0.1', path: '/echo', method: 'POST', agent: false });
  sent.write('first');
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  const parts = response.setEncoding('utf8')[Symbol.asyncIterator]();
  expect((await parts.next()).value).toBe('first');
  sent.end('second');
  expect((await parts.next()).value).toBe('second');
  expect((await parts.next()).done).toBe(true);
});

it('refuses with 503 when the application is down', async () => {
  const { application, port } = await inFrontOf(() => {});
  application.close();
  const { status, body } = await send(port, '/down');
  expect([status, JSON.parse(body).code]).toEqual([503, 'unavailable']);
});

describe('the time in which the application must begin its answer', () => {
  it('refuses with 504 when it is over', async () => {
    const clock = new ManualClock();
    const { port } = await inFrontOf(() => clock.advance(10_000), { clock });
    expect(await send(port, '/slow')).toMatchObject({ status: 504, headers: { 'cache-control': 'no-store' } });
  });

  it('begins at the end of the request: an upload may take longer', async () => {
    const clock = new ManualClock();
    const begun = Promise.withResolvers<void>();
    const { port } = await inFrontOf(
      async (incoming, outgoing) => {
        incoming.once('data', () => begun.resolve());
        outgoing.end(await text(incoming));
      },
      { clock },
    );
    const sent = request({ port, host: '127.0.0.1', path: '/upload', method: 'POST', agent: false });
    sent.write('first ');
    await begun.promise;
    clock.advance(60_000);
    sent.end('second');
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    expect([response.statusCode, await text(response)]).toEqual([200, 'first second']);
  });
});

it('repeats a request without a body when the application has just closed the idle connection', async () => {
  let requests = 0;
  const { port } = await inFrontOf((incoming, outgoing) => {
    requests += 1;
    if (requests === 2) incoming.socket.resetAndDestroy();
    else outgoing.end(String(requests));
  });
  expect((await send(port, '/')).body).toBe('1');
  expect((await send(port, '/')).body).toBe('3');
});

it('cuts the connection of a client when the application ends in the middle of its answer', async () => {
  const { port } = await inFrontOf((incoming, outgoing) => {
    outgoing.write('a part', () => incoming.socket.destroy());
  });
  await expect(send(port, '/')).rejects.toThrow('aborted');
});

it('ends the request to the application when the client goes', async () => {
  const requests: ServerResponse[] = [];
  const { port } = await inFrontOf((_, outgoing) => void requests.push(outgoing));
  const socket = connect(port, '127.0.0.1');
  socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  await expect.poll(() => requests.length).toBe(1);
  const ended = once(requests[0]!, 'close');
  socket.destroy();
  await ended;
});
