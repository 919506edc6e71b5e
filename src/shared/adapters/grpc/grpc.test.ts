import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { isNotSent, ofKernel, type Serve } from '../../kernel/calls/index.ts';
import { sample, serve, transportCases } from '../../kernel/calls/transport.cases.ts';
import { wireCases } from '../../kernel/ports/wire.cases.ts';
import { silentLog } from '../../kernel/telemetry/index.ts';
import { GrpcTransport } from './client.ts';
import { clientOver, codeOf, errorOf, gated, openScene, openWire, tokens } from './grpc.cases.ts';
import { createGrpcServer } from './server.ts';

transportCases('grpc', async () => {
  const { link, close } = await openScene();
  return { transport: link(), close };
});

wireCases('grpc', openWire);

/** Makes a server listen. Resolves with its address. */
async function addressOf(server: Server): Promise<string> {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return `grpc://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe('a gRPC call to a faulty callee', () => {
  it('is unavailable and not-sent without a listener, also after its stop', async () => {
    const [left, right] = [await openScene(), await openScene()];
    const link = left.link();
    await clientOver(link).echo({ text: 'x' });
    const never = right.link();
    await Promise.all([left, right].map((scene) => scene.close()));
    const again = new GrpcTransport({ module: 'sample', contract: sample, address: `grpc://${left.at}`, tokens });
    for (const each of [link, never, again]) {
      const error = await errorOf(clientOver(each).echo({ text: 'x' }));
      expect([error.code, isNotSent(error)]).toEqual(['unavailable', true]);
    }
    await again.close();
  });

  it('is unavailable and not-sent when the server speaks another protocol, or none within a second', async () => {
    const sockets: Socket[] = [];
    const others = [
      createServer((_request, response) => response.end('<html>')),
      createTcpServer((socket) => socket.destroy()),
      createTcpServer((socket) => sockets.push(socket)),
    ];
    for (const other of others) {
      const link = new GrpcTransport({ module: 'sample', contract: sample, address: await addressOf(other), tokens });
      const error = await errorOf(clientOver(link).echo({ text: 'x' }));
      expect([error.code, isNotSent(error)]).toEqual(['unavailable', true]);
      await link.close();
      other.close();
    }
    for (const socket of sockets) socket.destroy();
  });

  it('is unavailable when its connection breaks; the next call uses a new connection', async () => {
    const { serve, begun } = gated();
    const { at, close } = await openScene({ serve });
    const sockets: Socket[] = [];
    const between = createTcpServer((socket) => {
      const onwards = connect(Number(at.split(':')[1]), '127.0.0.1');
      socket.pipe(onwards).pipe(socket);
      sockets.push(socket, onwards);
    });
    const lost: string[] = [];
    const onLeaving = () => lost.push('lost');
    const address = await addressOf(between);
    const link = new GrpcTransport({ module: 'sample', contract: sample, address, tokens, onLeaving });
    const cut = errorOf(clientOver(link).when({}));
    await begun;
    for (const socket of sockets) socket.destroy();
    const error = await cut;
    expect([error.code, isNotSent(error), lost]).toEqual(['unavailable', false, ['lost']]);
    expect(await clientOver(link).echo({ text: 'x' })).toEqual({ text: 'x' });
    await link.close();
    between.close();
    await close();
  });

  it('refuses a too large input locally', async () => {
    const { link, close } = await openScene();
    const client = clientOver(link());
    expect(await codeOf(client.echo({ text: 'x'.repeat(9 * 1024 * 1024) }))).toBe('body-too-large');
    // Six characters each, as JSON.
    expect(await codeOf(client.echo({ text: '\u0001'.repeat(2 * 1024 * 1024) }))).toBe('body-too-large');
    await close();
  });

  it('refuses a too large answer', async () => {
    const { link, close } = await openScene({ serve: async () => ({ text: 'x'.repeat(9 * 1024 * 1024) }) });
    expect(await codeOf(clientOver(link()).echo({ text: 'x' }))).toBe('body-too-large');
    await close();
  });
});

describe('kernel operations over gRPC', () => {
  it('name their module', async () => {
    const asked: unknown[] = [];
    const serve: Serve = async (module, operation, input) => {
      asked.push([module, operation, input]);
      return {};
    };
    const { link, close } = await openScene({ serve });
    const transport = link();
    const context = { requestId: 'r', caller: 'kernel', deadline: Date.now() + 5_000 };
    await transport.call({ operation: ofKernel('ping', 'sample'), input: {}, context });
    await transport.call({ operation: ofKernel('receive', 'sample'), input: { events: ['{}'] }, context });
    expect(asked).toEqual([
      ['sample', 'kerf.ping', {}],
      ['sample', 'kerf.receive', { events: ['{}'] }],
    ]);
    await close();
  });
});

describe('a leaving process', () => {
  it('notifies each caller once, serves calls in flight and new calls, and loses none', async () => {
    const { serve, begun, letGo } = gated();
    const { link, leave, close } = await openScene({ serve });
    const told: string[] = [];
    const client = clientOver(link(undefined, () => told.push('leaving')));
    const slow = client.when({});
    await begun;
    leave();
    const answers = await Promise.all(Array.from({ length: 100 }, () => client.echo({ text: 'x' })));
    letGo();
    expect([await slow, answers.length, told]).toEqual([{}, 100, ['leaving']]);
    await close();
  });

  it('refuses new calls during its close, and answers calls in flight', async () => {
    const { serve, begun, letGo } = gated();
    const scene = await openScene({ serve });
    const link = new GrpcTransport({ module: 'sample', contract: sample, address: `grpc://${scene.at}`, tokens });
    const slow = clientOver(link).when({});
    await begun;
    const closed = scene.close();
    const error = await errorOf(clientOver(link).keep({ text: 'x' }));
    expect([error.code, isNotSent(error)]).toEqual(['unavailable', true]);
    letGo();
    expect(await slow).toEqual({});
    await closed;
    await link.close();
  });

  it('ends calls in flight when the caller closes the link', async () => {
    const { serve, begun, letGo } = gated();
    const { link, close } = await openScene({ serve });
    const transport = link();
    const slow = codeOf(clientOver(transport).when({}));
    await begun;
    await transport.close();
    expect(await slow).toBe('unavailable');
    letGo();
    await close();
  });
});

describe('the gRPC listener', () => {
  it('serves 4,096 concurrent calls of one connection, and serves further calls after them', async () => {
    const full = Promise.withResolvers<void>();
    const gate = Promise.withResolvers<void>();
    let [served, most] = [0, 0];
    const serveHeld: Serve = async (_module, operation) => {
      if (operation === 'when') return {};
      served += 1;
      most = Math.max(most, served);
      if (served === 4_096) full.resolve();
      await gate.promise;
      served -= 1;
      return { text: 'x' };
    };
    const { link, close } = await openScene({ serve: serveHeld });
    const client = clientOver(link());
    // From here on, the caller knows the limit.
    await client.when({});
    const answers = Promise.all(Array.from({ length: 4_200 }, () => client.echo({ text: 'x' }, { timeoutMs: 60_000 })));
    await full.promise;
    gate.resolve();
    expect([(await answers).length, most]).toEqual([4_200, 4_096]);
    await close();
  });

  it('names the setting to change when it cannot listen', async () => {
    const { at, close } = await openScene();
    const other = createGrpcServer({ serve, tokens, log: silentLog, modules: [] });
    await expect(other.listen('192.0.2.1', 1)).rejects.toThrow('change GRPC_PORT');
    await expect(other.listen('127.0.0.1', Number(at.split(':')[1]), 'PORT_7')).rejects.toThrow(
      `gRPC cannot use ${at} (listen EADDRINUSE: address already in use ${at}); change PORT_7`,
    );
    await close();
  });
});
