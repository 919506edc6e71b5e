import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { answerInOrder } from './pipelining.ts';
import { UnsentAnswers, type UnsentLimits } from './unsent-answers.ts';

const mebibyte = 1024 * 1024;
const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

async function listen(answer: Answer, limits: Partial<UnsentLimits> = {}, maxWaiting?: number) {
  const server = createServer();
  const unsent = new UnsentAnswers({ stalledMs: 60_000, ...limits });
  answerInOrder(server, answer, unsent, maxWaiting);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  ends.push(() => server.closeAllConnections());
  ends.push(() => server.close());
  const { port } = server.address() as AddressInfo;
  const open = () => {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => {});
    ends.push(() => socket.destroy());
    return socket;
  };
  return { unsent, open };
}

const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`;
const gets = (count: number) => Array.from({ length: count }, (_, index) => get(`/${index}`)).join('');

/** Reads answers until there are `count` of them. Resolves with the paths that they repeat. */
async function answersOf(socket: Socket, count: number): Promise<string[]> {
  let text = '';
  for await (const chunk of socket) {
    text += String(chunk);
    const paths = [...text.matchAll(/at (\/\d+);/g)].map(([, path]) => path!);
    if (paths.length >= count) return paths;
  }
  throw new Error(`the connection ended after ${text.length} characters`);
}

describe('pipelined requests', () => {
  it('are handled one at a time per connection', async () => {
    let [running, most] = [0, 0];
    const { open } = await listen((request, response) => {
      running += 1;
      most = Math.max(most, running);
      setImmediate(() => {
        running -= 1;
        response.end(`at ${request.url};`);
      });
    });
    const socket = open();
    socket.write(gets(500));
    expect(await answersOf(socket, 500)).toEqual(Array.from({ length: 500 }, (_, index) => `/${index}`));
    expect(most).toBe(1);
  });

  it('begin at most once per connection and turn of the event loop, so that other connections get their turn', async () => {
    let turn = 0;
    let counting = setImmediate(function next() {
      turn += 1;
      counting = setImmediate(next);
    });
    ends.push(() => clearImmediate(counting));
    const turns: number[] = [];
    const { open } = await listen((request, response) => {
      turns.push(turn);
      response.end(`at ${request.url};`);
    });
    const socket = open();
    socket.write(gets(200));
    await answersOf(socket, 200);
    const [, ...waited] = turns;
    expect(new Set(waited).size).toBe(199);
  });

  it('are no longer read from a peer that does not read its answers', async () => {
    const large = Buffer.alloc(16 * mebibyte);
    let begun = 0;
    const { unsent, open } = await listen((_, response) => {
      begun += 1;
      response.end(large);
    });
    const socket = open();
    socket.pause();
    socket.write(gets(1_000));
    await expect.poll(() => unsent.bytes).toBeGreaterThan(0);
    // The server reads on only after the peer reads answers, so the peer cannot send all of this.
    socket.write('x'.repeat(64 * mebibyte));
    await expect.poll(() => socket.writableLength).toBeGreaterThan(mebibyte);
    expect([begun, unsent.bytes <= large.length + 1_024]).toEqual([1, true]);
  });

  it('end with a closed connection when the peer reads nothing for too long, whatever it sends', async () => {
    const answers = Promise.withResolvers<ServerResponse>();
    const answer: Answer = (_, response) => {
      response.end(Buffer.alloc(16 * mebibyte));
      answers.resolve(response);
    };
    const { unsent, open } = await listen(answer, { stalledMs: 200 });
    const socket = open();
    socket.pause();
    socket.write(get('/'));
    const sending = setInterval(() => socket.write('GET /more'), 20);
    ends.push(() => clearInterval(sending));
    const response = await answers.promise;
    if (!response.closed) await once(response, 'close');
    expect([response.writableFinished, unsent.bytes]).toEqual([false, 0]);
  });

  it('close the connection with the most buffered answers when the total is too large', async () => {
    const sizes: Record<string, number> = { '/small': 8 * mebibyte, '/large': 16 * mebibyte };
    const answer: Answer = ({ url }, response) => void response.end(Buffer.alloc(sizes[url!]!));
    const { unsent, open } = await listen(answer, { totalBytes: 24 * mebibyte });
    const [first, second, third] = [open(), open(), open()];
    for (const each of [first, second, third]) each.pause();
    first.write(get('/large'));
    await expect.poll(() => unsent.bytes).toBeGreaterThan(15 * mebibyte);
    second.write(get('/small'));
    third.write(get('/small'));
    first.resume();
    await once(first, 'close');
    expect(unsent.bytes).toBeLessThanOrEqual(24 * mebibyte);
    expect([second.destroyed, third.destroyed]).toEqual([false, false]);
  });

  it('close a connection whose buffered answer is too large', async () => {
    const { open } = await listen((_, response) => response.end(Buffer.alloc(16 * mebibyte)), {
      connectionBytes: 1_024,
    });
    const socket = open();
    socket.write(get('/'));
    socket.resume();
    await once(socket, 'close');
  });

  it('close a connection with too many waiting requests', async () => {
    const { open } = await listen(() => {}, {}, 100);
    const socket = open();
    socket.write(gets(200));
    socket.resume();
    await once(socket, 'close');
  });

  it('close only the connection with the most waiting requests when the total is too large', async () => {
    const { open } = await listen(({ url }, response) => url === '/now' && response.end('at /1;'), {}, 100);
    const [greedy, modest, quiet] = [open(), open(), open()];
    for (const each of [greedy, modest]) each.resume();
    greedy.write(gets(99));
    quiet.write(get('/now'));
    expect(await answersOf(quiet, 1)).toEqual(['/1']);
    modest.write(gets(11));
    await once(greedy, 'close');
    const late = open();
    late.write(get('/now'));
    expect(await answersOf(late, 1)).toEqual(['/1']);
    expect(modest.destroyed).toBe(false);
  });

  it('do not block a peer without pipelining while the limit is reached', async () => {
    const held = Promise.withResolvers<void>();
    let begun = 0;
    const { open } = await listen(
      ({ url }, response) => {
        if (url === '/now') response.end('at /1;');
        else if (++begun === 1) held.resolve();
      },
      {},
      100,
    );
    const greedy = open();
    greedy.resume();
    // The first is in progress, all others wait.
    greedy.write(gets(101));
    await held.promise;
    const other = open();
    other.write(get('/now'));
    expect(await answersOf(other, 1)).toEqual(['/1']);
    expect(greedy.destroyed).toBe(false);
  });

  it('do not begin for a closed connection', async () => {
    const begun: ServerResponse[] = [];
    const { open } = await listen((_, response) => void begun.push(response));
    const socket = open();
    socket.write(gets(3));
    await expect.poll(() => begun.length).toBe(1);
    socket.destroy();
    begun[0]!.end('x'.repeat(mebibyte));
    await once(begun[0]!, 'close');
    expect(begun).toHaveLength(1);
  });
});
