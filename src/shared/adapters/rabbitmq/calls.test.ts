import { Connection } from 'rabbitmq-client';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { describeWith } from '../../../../test/harness/servers.ts';
import { queueCases } from '../../control/queue/queue.cases.ts';
import { failureOf, Holding, QueueScene } from '../../control/queue/queue.scene.ts';
import { openWire } from '../../control/queue/trouble.cases.ts';
import { isNotSent } from '../../kernel/calls/index.ts';
import { serve } from '../../kernel/calls/transport.cases.ts';
import { isRefusal } from '../../kernel/errors/index.ts';
import { type Inbound, namespaceOf } from '../../kernel/ports/index.ts';
import { wireCases } from '../../kernel/ports/wire.cases.ts';

queueCases('rabbitmq');
// No `restart`: it takes RabbitMQ seconds, and the cases above already kill a server.
describeWith('rabbitmq', 'by RabbitMQ', ({ url }) => wireCases('rabbitmq', () => openWire(url)));

describeWith('rabbitmq', 'calls by RabbitMQ only', ({ url }) => {
  let scene: QueueScene;
  beforeEach(() => {
    scene = new QueueScene(url);
  });
  afterEach(() => scene.close());
  const queue = () => `${namespaceOf(new URL(scene.url))}.calls.sample`;

  it('are refused immediately, and not begun again, when their instance is gone', async () => {
    const { session } = await scene.outsider();
    const taken: Inbound[] = [];
    await session.subscribe('sample', { one: (message) => taken.push(message), all: () => {} });
    const call = failureOf(scene.client().when({}, { timeoutMs: 60_000 }));
    await expect.poll(() => taken.length).toBe(1);
    const holding = new Holding();
    await scene.serve(holding.serve);
    await session.close();
    const error = await call;
    expect([isRefusal(error, 'unavailable'), isNotSent(error)]).toEqual([true, false]);
    expect(holding.contexts).toEqual([]);
  });

  it('wait at the broker for an instance with capacity, or expire', async () => {
    const full = new Holding();
    await scene.serve(full.serve);
    const client = scene.client();
    const abort = new AbortController();
    const held = Array.from({ length: 256 }, () =>
      failureOf(client.when({}, { timeoutMs: 60_000, signal: abort.signal })),
    );
    await expect.poll(() => full.contexts.length).toBe(256);
    expect(isRefusal(await failureOf(client.echo({ text: 'late' }, { timeoutMs: 50 })), 'timeout')).toBe(true);
    const waiting = client.echo({ text: 'early' }, { timeoutMs: 60_000 });
    await scene.serve(serve);
    expect(await waiting).toEqual({ text: 'early' });
    abort.abort();
    await Promise.all(held);
    expect(full.contexts.length).toBe(256);
  });

  it('continue after the queue was deleted', async () => {
    await scene.serve(serve);
    const client = scene.client();
    await client.echo({ text: 'x' });
    await fromOutside((connection) => connection.queueDelete(queue()));
    const again = async () => (await client.echo({ text: 'back' }).catch(() => ({ text: '' }))).text;
    await expect.poll(again).toBe('back');
  });

  it('continue after a message with an invalid reply address', async () => {
    await scene.serve(serve);
    const client = scene.client();
    for (const replyTo of ['nowhere', 'amq.rabbitmq.reply-to.x', 'amq.rabbitmq.reply-to.g2dk.x', '?']) {
      await fromOutside(async (connection) => {
        const channel = await connection.acquire();
        await channel.basicPublish({ routingKey: queue(), replyTo }, 'garbage');
        await channel.close();
      });
      expect(await client.echo({ text: 'well' })).toEqual({ text: 'well' });
    }
  });

  async function fromOutside(task: (connection: Connection) => Promise<unknown>): Promise<void> {
    const connection = new Connection(url);
    await task(connection);
    await connection.close();
  }
});
