import { CloudEvent } from 'cloudevents';
import { type AsyncMessage, type Channel, Connection } from 'rabbitmq-client';
import { afterEach, expect, it } from 'vitest';
import { describeWith } from '../../../../test/harness/servers.ts';
import { systemClock } from '../../kernel/context/index.ts';
import type { OpenedBus } from '../../kernel/events/bus.cases.ts';
import { EventScene, shop } from '../../kernel/events/events.scene.ts';
import { encodeEvent, type SubscriptionMap } from '../../kernel/events/index.ts';
import { brokerCases, inNamespace } from '../../kernel/ports/broker-bus.cases.ts';
import { maxDeliveries, namespaceOf } from '../../kernel/ports/index.ts';
import { type Log, silentLog } from '../../kernel/telemetry/index.ts';
import { openAmqp } from './events.ts';
import { Queues, whyDead } from './events-queues.ts';

brokerCases('rabbitmq', open);

describeWith('rabbitmq', 'events by RabbitMQ only', ({ url }) => {
  let scene: EventScene;
  let opened: OpenedBus;
  const start = async (broker = inNamespace(url)) => {
    scene = new EventScene();
    opened = await open(broker, scene.subscriptions);
    await scene.begin(opened.bus);
    await opened.bus.backlog('mail');
    return broker;
  };
  afterEach(async () => {
    await opened.close();
    await scene.close();
  });

  it('dead-letters an event that repeatedly kills its subscriber, but not the events in flight with it', async () => {
    await start();
    await scene.publish(...['a', 'b', 'c'].map((customer, n) => ({ customer, n })));
    for (let death = 0; death < maxDeliveries; death++) {
      await new Promise<void>((die) => void opened.attach('mail', () => new Promise(() => die())));
      opened = await opened.crash();
    }
    await opened.attach('mail', await scene.receiver('mail'));
    await scene.until(() => scene.effects.mail.length === 2);
    expect(scene.effects.mail).toEqual([
      { customer: 'b', n: 1 },
      { customer: 'c', n: 2 },
    ]);
    const dead = await scene.deadLetters('mail').list({}, 10);
    expect(dead).toMatchObject([
      {
        type: 'shop.sold.v1',
        lastError: 'delivery is exhausted: 20 attempts, and the subscriber ended in each of them',
        event: { data: { customer: 'a', n: 0 } },
      },
    ]);
    await scene.deadLetters('mail').replay(dead[0]!.id);
    await scene.until(() => scene.effects.mail.length === 3);
    await expect.poll(() => opened.bus.backlog('mail')).toBe(0);
  });

  it('records a dead letter for an event that the broker dead-lettered', async () => {
    const broker = await start();
    const { json } = encodeEvent(
      shop.events.sold,
      { customer: 'a', n: 1 },
      { id: 'given-up', time: new Date().toISOString() },
    );
    const exchange = `${namespaceOf(broker)}.dead`;
    await opened.attach('mail', await scene.receiver('mail'));
    await opened.bus.backlog('mail');
    await fromOutside(broker, (channel) => channel.basicPublish({ exchange, routingKey: 'mail' }, json));
    await expect.poll(() => scene.deadLetters('mail').list({}, 10)).toMatchObject([{ lastError: whyDead }]);
    expect(scene.effects.mail).toEqual([]);
  });

  it('delivers to one instance of a subscriber at a time, and in order to the next one after it leaves', async () => {
    const broker = await start();
    const other = await open(broker, scene.subscriptions);
    const receive = await scene.receiver('mail');
    const took = { first: 0, second: 0 };
    await opened.attach('mail', async (event) => {
      took.first += 1;
      await receive(event);
    });
    await scene.publish(...sales(0, 20));
    await scene.until(() => scene.effects.mail.length === 20);
    await other.attach('mail', async (event) => {
      took.second += 1;
      await receive(event);
    });
    await scene.publish(...sales(20, 40));
    await scene.until(() => scene.effects.mail.length === 40);
    expect(took).toEqual({ first: 40, second: 0 });
    await scene.publish(...sales(40, 1_000));
    await opened.detach('mail');
    await scene.publish(...sales(1_000, 1_020));
    await scene.until(() => scene.effects.mail.length === 1_020);
    expect(took.second).toBeGreaterThanOrEqual(20);
    expect(scene.effects.mail).toEqual(sales(0, 1_020));
    await other.bus.close();
  });

  it('can be read by other programs, as CloudEvents in structured JSON', async () => {
    const broker = await start();
    const message = await fromOutside(broker, async (channel) => {
      const { queue } = await channel.queueDeclare({ exclusive: true });
      await channel.queueBind({ queue, exchange: `${namespaceOf(broker)}.events`, routingKey: 'shop.#' });
      const heard = Promise.withResolvers<AsyncMessage>();
      await channel.basicConsume({ queue, noAck: true }, heard.resolve);
      await scene.publish({ customer: 'a', n: 1 });
      return heard.promise;
    });
    const event = new CloudEvent(JSON.parse(message.body.toString()));
    expect(event).toMatchObject({ type: 'shop.sold.v1', source: '/modules/shop', data: { customer: 'a', n: 1 } });
    const { contentType, durable, messageId, routingKey } = message;
    expect({ contentType, durable, messageId, routingKey }).toEqual({
      contentType: 'application/cloudevents+json',
      durable: true,
      messageId: event.id,
      routingKey: 'shop.sold.v1',
    });
  });

  it('counts the waiting events of a subscriber, with those in flight', async () => {
    await start();
    await scene.publish(...['a', 'b', 'c'].map((customer, n) => ({ customer, n })));
    await expect.poll(() => opened.bus.backlog('mail')).toBe(3);
    const maxInFlight: unknown[] = [];
    await opened.attach('mail', (event) => new Promise(() => void maxInFlight.push(event)));
    await expect.poll(() => maxInFlight.length).toBe(3);
    expect(await opened.bus.backlog('mail')).toBe(3);
  });

  it('delivers no events of a removed subscription', async () => {
    const broker = await start();
    const queues = new Queues(namespaceOf(broker), scene.subscriptions);
    const earlier = { queue: queues.of('mail'), exchange: queues.events, routingKey: 'shop.counted.*' };
    await fromOutside(broker, (channel) => channel.queueBind(earlier));
    const received: unknown[] = [];
    const receive = await scene.receiver('mail');
    await opened.attach('mail', async (event) => {
      received.push(event);
      await receive(event);
    });
    await scene.publishAs(shop.events.counted, { customer: 'a', n: 1 });
    await scene.publish({ customer: 'a', n: 2 });
    await scene.until(() => scene.effects.mail.length === 1);
    expect(received).toMatchObject([{ type: 'shop.sold.v1' }]);
    await expect.poll(() => opened.bus.backlog('mail')).toBe(0);
  });
});

function sales(from: number, to: number) {
  return Array.from({ length: to - from }, (_, index) => ({ customer: 'a', n: from + index }));
}

async function open(broker: URL, subscriptions: SubscriptionMap, log: Log = silentLog): Promise<OpenedBus> {
  const bus = await openAmqp({ url: broker, subscriptions, clock: systemClock, log });
  const leave = new Map<string, () => Promise<void>>();
  const queues = new Queues(namespaceOf(broker), subscriptions);
  return {
    bus,
    attach: async (module, receive) => void leave.set(module, await bus.subscribe(module, receive)),
    detach: async (module) => leave.get(module)?.(),
    async crash() {
      await bus.close();
      return open(broker, subscriptions, log);
    },
    async bring(module, text) {
      await bus.backlog(module);
      await fromOutside(broker, async (channel) => {
        await channel.confirmSelect();
        const contentType = text.startsWith('{') ? 'application/json' : 'text/plain';
        await channel.basicPublish({ routingKey: queues.of(module), contentType }, Buffer.from(text));
      });
    },
    async close() {
      await bus.close();
      await fromOutside(broker, async (channel) => {
        for (const module of subscriptions.modules) {
          await channel.queueDelete(queues.of(module));
          await channel.queueDelete(queues.deadOf(module));
        }
        for (const exchange of queues.exchanges) await channel.exchangeDelete({ exchange });
      });
    },
  };
}

/** Runs a task like a foreign program. */
async function fromOutside<T>(broker: URL, task: (channel: Channel) => Promise<T>): Promise<T> {
  const connection = new Connection(broker.href);
  try {
    return await task(await connection.acquire());
  } finally {
    connection.unsafeDestroy();
  }
}
