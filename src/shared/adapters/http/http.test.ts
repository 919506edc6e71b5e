import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { outcomeOf } from '../../kernel/calls/cancellation.cases.ts';
import { createCall, isNotSent, maximumBodyBytes } from '../../kernel/calls/index.ts';
import { callee } from '../../kernel/calls/sample.cases.ts';
import { sample, transportCases } from '../../kernel/calls/transport.cases.ts';
import { ChaosProxy } from '../../kernel/ports/chaos-proxy.scene.ts';
import { wireCases } from '../../kernel/ports/wire.cases.ts';
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

describe('an HTTP call to a faulty callee', () => {
  /** Calls the module while `server` listens at its address. Resolves with the refusal. */
  async function refusalFrom(server: Server): Promise<unknown> {
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const transport = new HttpTransport({ module: 'sample', address, tokens });
    opened.push(server, transport);
    return outcomeOf(clientOver(transport).echo({ text: 'x' }));
  }

  it('is unavailable and not-sent without a listener', async () => {
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

  it('is unavailable after an answer in another protocol', async () => {
    const html = createServer((_request, response) => response.writeHead(200).end('<html>\n'));
    expect(await refusalFrom(html)).toBe('unavailable');
    const gateway = createServer((_request, response) => response.writeHead(502).end('Bad gateway'));
    expect(await refusalFrom(gateway)).toBe('unavailable');
    for (const line of ['7\n', 'null\n', '{"id":"1"}\n\n{"id":7,"output":{}}\n']) {
      const strange = createServer((_request, response) => response.writeHead(200).end(line));
      expect(await refusalFrom(strange)).toBe('unavailable');
    }
  });

  it("is an internal error when the answer violates the caller's contract", async () => {
    const { transport } = await open();
    const another = { ...sample.operations.echo, output: sample.operations.count.output };
    const call = createCall(another as never, 'other', () => transport);
    expect(await outcomeOf(call({ text: 'x' }))).toBe('internal');
  });

  it('is refused locally when its input is one byte over the limit', async () => {
    const { address, close } = await openCallee();
    await close();
    const client = clientOver(new HttpTransport({ module: 'sample', address, tokens }));
    const letters = maximumBodyBytes - JSON.stringify({ text: '' }).length;
    expect(await outcomeOf(client.echo({ text: 'x'.repeat(letters + 1) }))).toBe('body-too-large');
    expect(await outcomeOf(client.echo({ text: 'x'.repeat(letters) }))).toBe('unavailable');
  });

  it('closes a dead connection, also when no caller waits any more', async () => {
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

  it('keeps the connection of a slow callee that answers pings', async () => {
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

describe('a closed HTTP link', () => {
  it('ends calls in flight, and refuses new ones', async () => {
    const { client, transport } = await open();
    const id = crypto.randomUUID();
    const inFlight = outcomeOf(client.hold({ id }));
    await callee.hanging.begun(id);
    await transport.close();
    expect(await inFlight).toBe('unavailable');
    expect(await outcomeOf(client.echo({ text: 'x' }, { timeoutMs: 500 }))).toBe('unavailable');
    await callee.hanging.told(id);
  });

  it('ends a call before its send', async () => {
    const { client, transport, server } = await open();
    const calls = ['x', 'x'.repeat(100_000)].map((text) => outcomeOf(client.echo({ text }, { timeoutMs: 500 })));
    await transport.close();
    expect(await Promise.all(calls)).toEqual(['unavailable', 'unavailable']);
    const count = new Promise((resolve) => server.getConnections((_, connections) => resolve(connections)));
    expect(await count).toBe(0);
  });
});

describe('a leaving process', () => {
  it('fails no call under load, and notifies its callers', async () => {
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

  it('ends cleanly without calls in flight, and no call fails when the caller switches', async () => {
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
