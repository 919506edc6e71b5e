import { once } from 'node:events';
import { Agent, createServer, get, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { Shutdown } from './shutdown.ts';

let server: Server;
let shutdown: Shutdown;
let port: number;
const afar = 60_000;

async function serve(answer: RequestListener): Promise<void> {
  server = createServer(answer);
  shutdown = new Shutdown(server);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  ({ port } = server.address() as AddressInfo);
  onTestFinished(() => server.closeAllConnections());
}

function ask(agent: Agent | false): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const request = get({ port, host: '127.0.0.1', agent }, (response) => {
      response.resume().once('end', () => resolve(response));
    });
    request.once('error', reject);
  });
}

const agentOf = () => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  onTestFinished(() => agent.destroy());
  return agent;
};

/** Opens a connection. Returns it with the text that it receives. */
async function dial() {
  const socket = connect({ port, host: '127.0.0.1' });
  const came = { text: '', ended: once(socket, 'close') };
  socket.on('data', (chunk: Buffer) => (came.text += chunk.toString()));
  socket.on('error', () => {});
  await once(socket, 'connect');
  return { socket, came };
}

const request = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n';

describe('a listener during a shutdown under load', () => {
  it.each([
    ['a connection for each request', () => false as const],
    ['keep-alive connections', agentOf],
  ])('resets no request in flight, with %s', async (_, agentFor) => {
    for (let round = 0; round < 10; round++) {
      await serve((_request, response) => void setImmediate(() => response.end('x')));
      let answers = 0;
      const failures: string[] = [];
      const client = async () => {
        const agent = agentFor();
        for (;;) {
          try {
            await ask(agent);
            answers += 1;
          } catch (error) {
            failures.push((error as NodeJS.ErrnoException).code!);
            return;
          }
        }
      };
      const clients = Array.from({ length: 20 }, client);
      await expect.poll(() => answers).toBeGreaterThan(50);
      shutdown.announce();
      const before = answers;
      await expect.poll(() => answers).toBeGreaterThan(before + clients.length);
      await shutdown.close(afar);
      await Promise.all(clients);
      expect(new Set(failures)).toEqual(new Set(['ECONNREFUSED']));
    }
  });
});

describe('a listener during a shutdown', () => {
  let answer: () => void;
  beforeEach(() =>
    serve(({ headers }, response) => {
      answer = () => response.end('x');
      if (headers.wait === undefined) setImmediate(answer);
    }),
  );

  const waiting = 'GET / HTTP/1.1\r\nHost: x\r\nWait: yes\r\n\r\n';

  it('sends "Connection: close" after the announcement, also for requests in flight, and accepts connections', async () => {
    const agent = agentOf();
    expect((await ask(agent)).headers.connection).toBe('keep-alive');
    const { socket, came } = await dial();
    socket.write(waiting);
    await once(server, 'request');
    shutdown.announce();
    answer();
    await came.ended;
    expect(came.text).toContain('Connection: close');
    expect([(await ask(agent)).headers.connection, (await ask(false)).headers.connection]).toEqual(['close', 'close']);
    await shutdown.close(afar);
  });

  it('answers a new request on an idle connection while others are in flight', async () => {
    const [idle, busy] = [await dial(), await dial()];
    idle.socket.write(request);
    await expect.poll(() => idle.came.text).toContain('keep-alive');
    busy.socket.write(waiting);
    await once(server, 'request');
    const last = answer;
    const closed = shutdown.close(afar);
    await expect.poll(() => ask(false).catch(({ code }) => code)).toBe('ECONNREFUSED');
    idle.socket.write(request);
    await idle.came.ended;
    expect(idle.came.text.match(/200 OK/g)).toHaveLength(2);
    last();
    await Promise.all([closed, busy.came.ended]);
    expect(busy.came.text).toContain('200 OK');
  });

  it('answers all pipelined requests', async () => {
    const { socket, came } = await dial();
    shutdown.announce();
    socket.write(request.repeat(3));
    await came.ended;
    expect([came.text.match(/200 OK/g), came.text.match(/Connection: close/g)]).toMatchObject({
      0: { length: 3 },
      1: { length: 1 },
    });
    await shutdown.close(afar);
  });

  it('does not wait for idle or unused connections', async () => {
    const [idle, unused] = [await dial(), await dial()];
    idle.socket.write(request);
    await expect.poll(() => idle.came.text).toContain('200 OK');
    await Promise.all([shutdown.close(afar), idle.came.ended, unused.came.ended]);
  });

  it('closes connections without an answer in time', async () => {
    const { socket, came } = await dial();
    socket.write(waiting);
    await once(server, 'request');
    await Promise.all([shutdown.close(100), came.ended]);
    expect(came.text).toBe('');
  });
});
