import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { isRefusal } from '../../errors/index.ts';
import { fixedKeyRing, ServiceTokens } from '../../identity/index.ts';
import { createCall, createClient } from '../client.ts';
import { sample, serve, transportCases } from '../transport.cases.ts';
import type { Transport } from '../transport.ts';
import { HttpTransport } from './client.ts';
import { openLoopback } from './loopback.ts';

const tokens = new ServiceTokens(fixedKeyRing('TEST', 'a secret of more than 32 characters'));

async function openHttp() {
  const loopback = await openLoopback(serve);
  return { ...loopback, transport: loopback.link('sample') };
}

function clientOver(transport: Transport) {
  return createClient(sample, (operation) => createCall(operation, 'other', () => transport));
}

async function refusalOf(call: Promise<unknown>): Promise<string | undefined> {
  const error = await call.catch((caught: unknown) => caught);
  return isRefusal(error) ? error.code : undefined;
}

/** What a call comes to when `server` stands at the module's address. */
async function refusalFrom(server: Server): Promise<string | undefined> {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const transport = new HttpTransport({ module: 'sample', address, tokens });
  const refused = await refusalOf(clientOver(transport).echo({ text: 'x' }));
  await transport.close();
  server.close();
  return refused;
}

transportCases('http', openHttp);

describe('a call by http, when the other side is not well', () => {
  it('is unavailable where nobody listens', async () => {
    const { transport, close } = await openHttp();
    await close();
    expect(await refusalOf(clientOver(transport).echo({ text: 'x' }))).toBe('unavailable');
  });

  it('is unavailable when the connection is cut before, during or after the head of the answer', async () => {
    const cuts: ((socket: Socket) => void)[] = [
      (socket) => socket.destroy(),
      (socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-le'),
      (socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"id":'),
    ];
    for (const cut of cuts) {
      const server = createTcpServer((socket) => socket.on('error', () => {}).once('data', () => cut(socket)));
      expect(await refusalFrom(server)).toBe('unavailable');
    }
  });

  it('survives an answer that is not of this protocol', async () => {
    const server = createServer((_request, response) => response.writeHead(200).end('<html>\n'));
    expect(await refusalFrom(server)).toBe('unavailable');
  });

  it('refuses what is larger than the limit, on this side', async () => {
    const { transport, close } = await openHttp();
    expect(await refusalOf(clientOver(transport).echo({ text: 'x'.repeat(9 * 1024 * 1024) }))).toBe('body-too-large');
    await close();
  });
});

describe('an exchange', () => {
  it('answers each line by itself: one that is no call takes no other along', async () => {
    const { address, close } = await openHttp();
    const context = { requestId: 'r', deadlineMs: 1_000 };
    const lines = [
      { id: 1, operation: 'echo', input: { text: 'x' }, context },
      { id: 2, operation: 'echo', input: { text: 'x' }, context: 'none' },
    ];
    const answer = await fetch(`${address}/modules/sample`, {
      method: 'POST',
      body: lines.map((line) => JSON.stringify(line)).join('\n'),
      headers: { authorization: `Bearer ${await tokens.issue('other', 'sample')}` },
    });
    const answers = (await answer.text())
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(answers.sort((a, b) => a.id - b.id)).toEqual([
      { id: 1, output: { text: 'x' } },
      { id: 2, problem: expect.objectContaining({ code: 'invalid-input' }) },
    ]);
    await close();
  });
});

describe('the internal listener', () => {
  async function ask(token: string | undefined, path = '/modules/sample/echo', body = '{"text":"x"}') {
    const { address, close } = await openHttp();
    const answer = await fetch(`${address}${path}`, {
      method: 'POST',
      body,
      headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    });
    const result = { status: answer.status, body: await answer.json() };
    await close();
    return result;
  }

  it('answers one call in plain HTTP to any program with a token', async () => {
    expect(await ask(await tokens.issue('other', 'sample'))).toEqual({ status: 200, body: { text: 'x' } });
  });

  it('answers 401 to a token that is missing, forged, or made for another module', async () => {
    const forged = new ServiceTokens(fixedKeyRing('TEST', 'another secret of more than 32 characters'));
    const bad = [undefined, 'nonsense', await forged.issue('other', 'sample'), await tokens.issue('other', 'payments')];
    for (const token of bad) expect((await ask(token)).body).toMatchObject({ status: 401, code: 'unauthenticated' });
  });

  it('answers what it cannot read with a problem', async () => {
    const token = await tokens.issue('other', 'sample');
    expect((await ask(token, undefined, '{"text":')).body).toMatchObject({ status: 400, code: 'malformed-body' });
    expect((await ask(token, '/modules/sample/nothing')).body).toMatchObject({ status: 404, code: 'not-found' });
    expect((await ask(token, '/modules/sample', 'no line of JSON')).body).toMatchObject({
      status: 400,
      code: 'malformed-body',
    });
    expect((await ask(token, '/modules/sample', '{"call":1}')).body).toMatchObject({
      status: 422,
      code: 'invalid-input',
    });
  });
});
