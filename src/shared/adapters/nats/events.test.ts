import { randomUUID } from 'node:crypto';
import { type JetStreamManager, jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect, type Msg, type NatsConnection } from '@nats-io/transport-node';
import { CloudEvent } from 'cloudevents';
import { afterEach, expect, it } from 'vitest';
import { freePort } from '../../../../test/harness/kerf.ts';
import { describeWith } from '../../../../test/harness/servers.ts';
import { type Clock, systemClock } from '../../kernel/context/index.ts';
import type { OpenedBus } from '../../kernel/events/bus.cases.ts';
import { EventScene, shop, type ToldEvent } from '../../kernel/events/events.scene.ts';
import { type SubscriptionMap, subscriptionMap } from '../../kernel/events/index.ts';
import { brokerCases, inNamespace, recordingLog } from '../../kernel/ports/broker-bus.cases.ts';
import { namespaceOf } from '../../kernel/ports/index.ts';
import { type Log, silentLog } from '../../kernel/telemetry/index.ts';
import { openNats } from './events.ts';

brokerCases('nats', open);

describeWith('nats', 'events by NATS JetStream only', ({ url }) => {
  let scene: EventScene;
  let opened: OpenedBus;
  const start = async (clock: Clock = systemClock) => {
    scene = new EventScene();
    const broker = inNamespace(url);
    opened = open(broker, scene.subscriptions, silentLog, clock);
    await scene.begin(opened.bus);
    await opened.bus.backlog('mail');
    return broker;
  };
  const numbers = () => scene.effects.mail.map(({ n }) => n);
  afterEach(async () => {
    await opened.close();
    await scene.close();
  });

  it('stores an event once when it is published again', async () => {
    const broker = await start();
    const sealed = { id: 'sold-1', type: 'shop.sold.v1', key: 'a', json: '{}' };
    await opened.bus.deliver('nats', [sealed, sealed]);
    await opened.bus.deliver('nats', [sealed, { ...sealed, id: 'sold-2' }]);
    const stored = await outside(broker, async ({ manager }) => manager.streams.info(namespaceOf(broker)));
    expect(stored.state.messages).toBe(2);
  });

  it('stores no event before an earlier one of its key is stored', async () => {
    const broker = await start();
    const sealed = { id: 'a-1', type: 'shop.sold.v1', key: 'a', json: '{}' };
    const refused = { ...sealed, json: 'x'.repeat(10 * 1024 * 1024) };
    const batch = [refused, { ...sealed, id: 'a-2' }, { ...sealed, id: 'b-1', key: 'b' }];
    await expect(opened.bus.deliver('nats', batch)).rejects.toThrow();
    await outside(broker, async ({ manager }) => {
      const stored = async () => (await manager.streams.info(namespaceOf(broker))).state.messages;
      await expect.poll(stored).toBe(1);
      const { header } = (await manager.streams.getMessage(namespaceOf(broker), { seq: 1 }))!;
      expect(header.get('Nats-Msg-Id')).toBe('b-1');
    });
  });

  it('takes the unacknowledged events of a stopped process before newer events', async () => {
    const broker = await start();
    await scene.publish(...sales(0, 3));
    await outside(broker, (server) => handOut(server, broker, 'mail', 2));
    await scene.publish(...sales(3, 5));
    await opened.attach('mail', await scene.receiver('mail'));
    await scene.until(() => scene.effects.mail.length === 5);
    expect(numbers()).toEqual([0, 1, 2, 3, 4]);
  });

  it('does not redeliver an event during a long processing', async () => {
    let received = Number.POSITIVE_INFINITY;
    const patience = Promise.withResolvers<void>();
    const after: Clock['after'] = (delayMs, task) => {
      if (Date.now() - received > 5_500) patience.resolve();
      return systemClock.after(delayMs, task);
    };
    const broker = await start({ ...systemClock, after });
    const receive = await scene.receiver('mail');
    await opened.attach('mail', async (event) => {
      received = Math.min(received, Date.now());
      await patience.promise;
      await receive(event);
    });
    await scene.publish(...sales(0, 2));
    await scene.until(() => scene.effects.mail.length === 2);
    const consumer = await outside(broker, ({ manager }) => manager.consumers.info(namespaceOf(broker), 'mail'));
    expect(consumer).toMatchObject({ num_redelivered: 0, delivered: { consumer_seq: 2 } });
  });

  it('moves to the next subscriber when one leaves under load, and delivers each event once', async () => {
    await start();
    const received: unknown[] = [];
    const attach = async () => {
      const receive = await scene.receiver('mail');
      await opened.attach('mail', async (event) => {
        received.push(event);
        await receive(event);
      });
    };
    await scene.publish(...sales(0, 600));
    for (const some of [50, 150, 300]) {
      await attach();
      await scene.until(() => scene.effects.mail.length > some);
      await opened.detach('mail');
    }
    await attach();
    await scene.until(() => scene.effects.mail.length === 600);
    expect(scene.effects.mail).toEqual(sales(0, 600));
    expect(received).toHaveLength(600);
  });

  it('dead-letters an event that repeatedly kills its subscriber, but not the events in flight with it', async () => {
    const broker = await start();
    await scene.publish(...sales(0, 3));
    await outside(broker, async (server) => {
      for (let times = 0; times < 20; times++) {
        for (const message of await handOut(server, broker, 'mail', 3)) message.respond('-NAK');
      }
      await server.connection.flush();
    });
    await opened.attach('mail', await scene.receiver('mail'));
    await scene.until(() => scene.effects.mail.length === 2);
    expect(numbers()).toEqual([1, 2]);
    expect(await scene.deadLetters('mail').list({}, 10)).toMatchObject([
      { lastError: 'delivery is exhausted: 20 attempts, and the subscriber ended in each of them' },
    ]);
  });

  it('can be read by other programs, as CloudEvents in structured JSON', async () => {
    const broker = await start();
    const message = await outside(broker, async ({ connection }) => {
      const heard = Promise.withResolvers<Msg>();
      connection.subscribe(`${namespaceOf(broker)}.shop.>`, { callback: (_error, each) => heard.resolve(each) });
      await connection.flush();
      await scene.publish({ customer: 'a', n: 1 });
      return heard.promise;
    });
    const event = new CloudEvent(message.json() as object);
    expect(event).toMatchObject({ type: 'shop.sold.v1', source: '/modules/shop', data: { customer: 'a', n: 1 } });
    expect(message.subject).toBe(`${namespaceOf(broker)}.shop.sold.v1`);
    expect(message.headers?.get('Content-Type')).toBe('application/cloudevents+json');
    expect(message.headers?.get('Nats-Msg-Id')).toBe(event.id);
  });

  it('delivers to a module only events that it subscribes to', async () => {
    const broker = await start();
    const received: unknown[] = [];
    for (const module of ['mail', 'stats'])
      await opened.attach(module, async (event) => void received.push([module, event]));
    await outside(broker, async ({ connection }) => {
      const client = jetstream(connection);
      for (const type of ['shop.counted.v1', 'shop.lost.v1', 'shop.sold.v1'])
        await client.publish(`${namespaceOf(broker)}.${type}`, JSON.stringify(type));
    });
    for (const module of ['mail', 'stats']) await expect.poll(() => opened.bus.backlog(module)).toBe(0);
    expect(received.sort()).toEqual([
      ['mail', 'shop.sold.v1'],
      ['stats', 'shop.counted.v1'],
      ['stats', 'shop.sold.v1'],
    ]);
  });

  it('keeps the subscriptions of a later version of a module when an earlier version declares its own', async () => {
    const broker = await start();
    const { modules, recipients } = scene.subscriptions;
    const families = () => scene.subscriptions.families('stats');
    const later = open(broker, { modules, recipients, families }, silentLog);
    await later.bus.backlog('mail');
    const earlier = open(broker, scene.subscriptions, silentLog);
    await earlier.bus.backlog('mail');
    const received: unknown[] = [];
    await later.attach('mail', async (event) => void received.push(event));
    await scene.publishAs(shop.events.counted, { customer: 'a', n: 1 });
    await scene.publish({ customer: 'a', n: 2 });
    await expect.poll(() => received).toMatchObject([{ type: 'shop.counted.v1' }, { type: 'shop.sold.v1' }]);
    await Promise.all([earlier.bus.close(), later.bus.close()]);
  });

  it('declares deleted streams and consumers again', async () => {
    const broker = await start();
    await opened.attach('mail', await scene.receiver('mail'));
    await outside(broker, ({ manager }) => manager.streams.delete(namespaceOf(broker)));
    await scene.publish(...sales(0, 3));
    await scene.until(() => scene.effects.mail.length === 3);
    expect(numbers()).toEqual([0, 1, 2]);
  });
});

it('an unavailable NATS server is named without the password', async () => {
  const { log, lines } = recordingLog();
  const address = `127.0.0.1:${await freePort()}`;
  const url = new URL(`nats://somebody:secret@${address}`);
  const bus = openNats({ url, subscriptions: subscriptionMap([]), clock: systemClock, log });
  const refused = await bus.deliver('nats', []).catch((error: Error) => error);
  expect(refused).toMatchObject({ code: 'unavailable', message: expect.stringContaining(address) });
  expect(lines).toMatchObject([
    ['error', expect.any(String), { broker: `nats://${address}`, why: 'connection refused' }],
  ]);
  expect(String(refused)).not.toContain('secret');
  await bus.close();
});

interface Outside {
  readonly connection: NatsConnection;
  readonly manager: JetStreamManager;
}

const types: Record<string, string> = { mail: shop.events.sold.type, stats: shop.events.counted.type };

function open(broker: URL, subscriptions: SubscriptionMap, log: Log, clock: Clock = systemClock): OpenedBus {
  const bus = openNats({ url: broker, subscriptions, clock, log });
  const leave = new Map<string, () => Promise<void>>();
  return {
    bus,
    attach: async (module, receive) => void leave.set(module, await bus.subscribe(module, receive)),
    detach: async (module) => leave.get(module)?.(),
    async bring(module, text) {
      await bus.backlog(module);
      const subject = `${namespaceOf(broker)}.${types[module]}`;
      await outside(broker, ({ connection }) => jetstream(connection).publish(subject, text));
    },
    async crash() {
      await bus.close();
      return open(broker, subscriptions, log, clock);
    },
    async close() {
      await bus.close();
      await outside(broker, ({ manager }) => manager.streams.delete(namespaceOf(broker)));
    },
  };
}

async function outside<T>({ host }: URL, task: (server: Outside) => Promise<T>): Promise<T> {
  const connection = await connect({ servers: host });
  try {
    return await task({ connection, manager: await jetstreamManager(connection) });
  } finally {
    await connection.close();
  }
}

/** Pulls a module's next events without acknowledging them. */
function handOut({ connection }: Outside, broker: URL, module: string, count: number): Promise<Msg[]> {
  const messages: Msg[] = [];
  const all = Promise.withResolvers<Msg[]>();
  const inbox = `test.${randomUUID()}`;
  const subscription = connection.subscribe(inbox, {
    callback: (_error, message) => {
      if (messages.push(message) < count) return;
      subscription.unsubscribe();
      all.resolve(messages);
    },
  });
  const next = `$JS.API.CONSUMER.MSG.NEXT.${namespaceOf(broker)}.${module}`;
  connection.publish(next, JSON.stringify({ batch: count, expires: 20_000_000_000 }), { reply: inbox });
  return all.promise;
}

function sales(from: number, to: number): ToldEvent[] {
  return Array.from({ length: to - from }, (_, index) => ({ customer: 'a', n: from + index }));
}
