import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { ChaosProxy } from '../../kernel/calls/chaos-proxy.scene.ts';
import { outcomeOf } from '../../kernel/calls/giving-up.cases.ts';
import { createCall, isNotSent, maximumBodyBytes } from '../../kernel/calls/index.ts';
import { callee } from '../../kernel/calls/sample.cases.ts';
import { sample, transportCases } from '../../kernel/calls/transport.cases.ts';
import { wireCases } from '../../kernel/calls/wire.cases.ts';
import { HttpTransport, type HttpWay } from './client.ts';
import { clientOver, openCallee, openWire, silence, tokens } from './http.cases.ts';

const opened: { close(): unknown }[] = [];
afterEach(async () => {
  for (const each of opened.splice(0).reverse()) await each.close();
});

async function open(way?: Partial<HttpWay>) {
  const server = await openCallee();
  opened.push(server);
  const transport = server.link(way);
  return { ...server, transport, client: clientOver(transport) };
}

transportCases('http', async () => {
  const { link, close } = await openCallee();
  return { transport: link(), close };
});

wireCases('http', () => openWire());

describe('a call by http, when the other side is not well', () => {
  /** Calls the module while `server` listens at its address. Resolves with the refusal. */
  async function refusalFrom(server: Server): Promise<unknown> {
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const transport = new HttpTransport({ module: 'sample', address, tokens });
    opened.push(server, transport);
    return outcomeOf(clientOver(transport).echo({ text: 'x' }));
  }

  it('is unavailable where nobody listens, and was never sent', async () => {
    const { address, close } = await openCallee();
    await close();
    const transport = new HttpTransport({ module: 'sample', address, tokens });
    const error = await clientOver(transport)
      .echo({ text: 'x' })
      .catch((caught: unknown) => caught);
    expect([await outcomeOf(Promise.reject(error)), isNotSent(error)]).toEqual(['unavailable', true]);
    await transport.close();
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
    const html = createServer((_request, response) => response.writeHead(200).end('<html>\n'));
    expect(await refusalFrom(html)).toBe('unavailable');
    const gateway = createServer((_request, response) => response.writeHead(502).end('Bad gateway'));
    expect(await refusalFrom(gateway)).toBe('unavailable');
    for (const line of ['7\n', 'null\n', '{"id":"1"}\n\n{"id":7,"output":{}}\n']) {
      const strange = createServer((_request, response) => response.writeHead(200).end(line));
      expect(await refusalFrom(strange)).toBe('unavailable');
    }
  });

  it('is a fault of the callee when the answer is not what the contract of the caller says', async () => {
    const { transport } = await open();
    const another = { ...sample.operations.echo, output: sample.operations.count.output };
    const call = createCall(another as never, 'other', () => transport);
    expect(await outcomeOf(call({ text: 'x' }))).toBe('internal');
  });

  it('refuses what is larger than the limit, on this side, to the byte', async () => {
    const { address, close } = await openCallee();
    await close();
    const client = clientOver(new HttpTransport({ module: 'sample', address, tokens }));
    const letters = maximumBodyBytes - JSON.stringify({ text: '' }).length;
    expect(await outcomeOf(client.echo({ text: 'x'.repeat(letters + 1) }))).toBe('body-too-large');
    expect(await outcomeOf(client.echo({ text: 'x'.repeat(letters) }))).toBe('unavailable');
  });

  it('closes a connection that is dead by itself, though nobody waits for an answer any more', async () => {
    const { port } = await open();
    const proxy = await ChaosProxy.open(port);
    const transport = new HttpTransport({
      module: 'sample',
      address: `http://127.0.0.1:${proxy.port}`,
      tokens,
      silence,
    });
    opened.push(proxy, transport);
    const client = clientOver(transport);
    await client.echo({ text: 'x' });
    proxy.meet({ requests: 'swallow', answers: 'swallow' });
    expect(await outcomeOf(client.echo({ text: 'x' }, { timeoutMs: 10 }))).toBe('timeout');
    await proxy.closedByCaller();
    expect(await client.echo({ text: 'next' })).toEqual({ text: 'next' });
  });

  it('keeps a connection on which a callee takes long, but answers when it is asked', async () => {
    const { port } = await open();
    const proxy = await ChaosProxy.open(port);
    const transport = new HttpTransport({
      module: 'sample',
      address: `http://127.0.0.1:${proxy.port}`,
      tokens,
      silence,
    });
    opened.push(proxy, transport);
    const id = crypto.randomUUID();
    expect(await outcomeOf(clientOver(transport).hold({ id }, { timeoutMs: 3 * silence.goneAfterMs }))).toBe('timeout');
    expect(await clientOver(transport).echo({ text: 'x' })).toEqual({ text: 'x' });
    expect(proxy.accepted).toBe(1);
  });
});

describe('a link by http that is closed', () => {
  it('ends calls under way, and takes no more', async () => {
    const { client, transport } = await open();
    const id = crypto.randomUUID();
    const inFlight = outcomeOf(client.hold({ id }));
    await callee.held.begun(id);
    await transport.close();
    expect(await inFlight).toBe('unavailable');
    expect(await outcomeOf(client.echo({ text: 'x' }, { timeoutMs: 500 }))).toBe('unavailable');
    await callee.held.told(id);
  });

  it('ends a call that it was about to send', async () => {
    const { client, transport, server } = await open();
    const calls = ['x', 'x'.repeat(100_000)].map((text) => outcomeOf(client.echo({ text }, { timeoutMs: 500 })));
    await transport.close();
    expect(await Promise.all(calls)).toEqual(['unavailable', 'unavailable']);
    const count = new Promise((resolve) => server.getConnections((_, connections) => resolve(connections)));
    expect(await count).toBe(0);
  });
});

describe('a process that leaves', () => {
  it('fails none of the calls that are made without pause, and tells its callers', async () => {
    let told = 0;
    const { client, leave } = await open({ onLeaving: () => void told++ });
    const calls = async () => {
      for (let n = 0; n < 200; n++) expect((await client.strict({ n })).n).toBe(n);
    };
    const callers = Array.from({ length: 5 }, calls);
    for (let n = 0; n < 20; n++) await client.strict({ n });
    leave();
    await Promise.all(callers);
    expect(told).toBeGreaterThan(0);
  });

  it('ends in order when nothing is under way: no call of one who turns elsewhere fails', async () => {
    const [old, next] = [await open(), await open()];
    let to = old.transport;
    const transport = old.link({ onLeaving: () => (to = next.transport) });
    to = transport;
    const client = clientOver({ call: (request) => to.call(request) });
    const calls = async () => {
      for (let n = 0; n < 300; n++) expect((await client.strict({ n })).n).toBe(n);
    };
    const callers = Array.from({ length: 5 }, calls);
    for (let n = 0; n < 20; n++) await client.strict({ n });
    old.leave();
    const closed = new Promise((resolve) => old.server.close(resolve));
    const sweep = setInterval(() => old.server.closeIdleConnections(), 1);
    await Promise.all([...callers, closed]);
    clearInterval(sweep);
  });
});
