import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { describeWith } from '../../../../test/harness/servers.ts';
import { queueCases } from '../../control/queue/queue.cases.ts';
import { failureOf, Holding, QueueScene } from '../../control/queue/queue.scene.ts';
import { openPrivateWire } from '../../control/queue/trouble.cases.ts';
import { wireCases } from '../../kernel/ports/wire.cases.ts';

queueCases('nats');
describeWith('nats', 'by NATS', () => wireCases('nats', () => openPrivateWire('nats')));

describeWith('nats', 'calls by NATS only', ({ url }) => {
  let scene: QueueScene;
  afterEach(() => scene.close());

  it('calls in flight are known only to their instance', async () => {
    scene = new QueueScene(url);
    const holding = new Holding();
    await scene.serve(holding.serve);
    const { ask } = await scene.outsider();
    void ask({ id: 'here' });
    await expect.poll(() => holding.contexts.length).toBe(1);
    const body = Buffer.from(JSON.stringify({ ask: ['here', 'nowhere'] }));
    expect(await ask({ to: 'all', body })).toEqual({ have: ['here'] });
  });
});

it('a too large call names the setting of the NATS server', async () => {
  const server = createServer((socket) => {
    socket.write('INFO {"server_id":"x","version":"2.9.0","headers":true,"max_payload":65536,"proto":1}\r\n');
    socket.on('error', () => {}).on('data', (chunk) => chunk.includes('PING') && socket.write('PONG\r\n'));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const scene = new QueueScene(`nats://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const error = await failureOf(scene.client().echo({ text: 'x'.repeat(65_000) }));
  expect(error).toMatchObject({
    code: 'body-too-large',
    message: expect.stringContaining("the NATS server's max_payload is 65536 bytes: set it to 8458240 or more"),
  });
  await scene.close();
  server.close();
});
