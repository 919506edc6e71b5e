import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { Admin, ConfigResourceTypes, Producer, stringSerializers } from '@platformatic/kafka';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { freePort } from '../../../../test/harness/kerf.ts';
import { describeWith } from '../../../../test/harness/servers.ts';
import { systemClock } from '../../kernel/context/index.ts';
import { byKey, events, type OpenedBus } from '../../kernel/events/bus.cases.ts';
import { EventScene, shop, type ToldEvent } from '../../kernel/events/events.scene.ts';
import {
  type Bus,
  encodeEvent,
  type Receive,
  type SubscriptionMap,
  subscriptionMap,
} from '../../kernel/events/index.ts';
import { brokerCases, inNamespace, recordingLog } from '../../kernel/ports/broker-bus.cases.ts';
import { type Log, silentLog } from '../../kernel/telemetry/index.ts';
import { openKafka } from './events.ts';

async function asking<T>(url: URL, question: (admin: Admin) => Promise<T>): Promise<T> {
  const admin = new Admin({ clientId: 'test', bootstrapBrokers: [url.host] });
  try {
    return await question(admin);
  } finally {
    await admin.close();
  }
}

/** Removes all topics and groups of a test. */
async function clear(url: URL): Promise<void> {
  const ours = (name: string) => name.startsWith(`${url.searchParams.get('namespace')}.`);
  await asking(url, async (admin) => {
    const topics = (await admin.listTopics()).filter(ours);
    if (topics.length > 0) await admin.deleteTopics({ topics });
  });
}

async function write(url: URL, topic: string, value: string): Promise<void> {
  const producer = new Producer({ clientId: 'test', bootstrapBrokers: [url.host], serializers: stringSerializers });
  const name = `${url.searchParams.get('namespace')}.${topic}`;
  await producer.send({ messages: [{ topic: name, key: '', value }], acks: -1 });
  await producer.close();
}

function openOn(url: URL, subscriptions: SubscriptionMap, log: Log): OpenedBus {
  const bus = openKafka({ url, subscriptions, clock: systemClock, log });
  const leave = new Map<string, () => Promise<void>>();
  return {
    bus,
    attach: async (module, receive) => void leave.set(module, await bus.subscribe(module, receive)),
    detach: async (module) => leave.get(module)?.(),
    async crash() {
      await bus.close();
      return openOn(url, subscriptions, log);
    },
    bring: (_module, text) => write(url, 'shop', text),
    async close() {
      await bus.close();
      await clear(url);
    },
  };
}

brokerCases('kafka', openOn);

describeWith('kafka', 'events by Kafka only', ({ url }) => {
  describe('a topic', () => {
    it('is created when it is missing, with the number of partitions in the address', async () => {
      const address = inNamespace(url, { partitions: '3' });
      const bus = openKafka({ url: address, subscriptions: subscriptionMap([]), clock: systemClock, log: silentLog });
      await bus.deliver('kafka', [sold('a', 1)]);
      const topic = `${address.searchParams.get('namespace')}.shop`;
      const metadata = await asking(address, (admin) => admin.metadata({ topics: [topic] }));
      expect(metadata.topics.get(topic)?.partitionsCount).toBe(3);
      await bus.close();
      await clear(address);
    });

    it.each<{ settings: Record<string, string>; hours: number }>([
      { settings: {}, hours: 6 * 24 },
      { settings: { retentionHours: '48' }, hours: 48 },
    ])('is created with a retention of $hours hours, with $settings in the address', async ({ settings, hours }) => {
      const address = inNamespace(url, settings);
      const bus = openKafka({ url: address, subscriptions: subscriptionMap([]), clock: systemClock, log: silentLog });
      await bus.deliver('kafka', [sold('a', 1)]);
      const resourceName = `${address.searchParams.get('namespace')}.shop`;
      const resources = [{ resourceType: ConfigResourceTypes.TOPIC, resourceName }];
      const [topic] = await asking(address, (admin) => admin.describeConfigs({ resources }));
      const hourMs = 60 * 60_000;
      expect(Object.fromEntries(topic!.configs.map(({ name, value }) => [name, value]))).toMatchObject({
        'retention.ms': String(hours * hourMs),
        'segment.ms': String(12 * hourMs),
      });
      await bus.close();
      await clear(address);
    });

    it('is created again after a deletion', async () => {
      const scene = new EventScene();
      const address = inNamespace(url);
      const { subscriptions } = scene;
      const bus = openKafka({ url: address, subscriptions, clock: systemClock, log: silentLog });
      await scene.begin(bus);
      await bus.subscribe('mail', await scene.receiver('mail'));
      await scene.publish({ customer: 'a', n: 1 });
      await scene.until(() => scene.effects.mail.length === 1);
      await clear(address);
      await scene.publish({ customer: 'a', n: 2 });
      await scene.until(() => scene.effects.mail.length === 2);
      await bus.close();
      await scene.close();
      await clear(address);
    });
  });

  describe('the consumers of one group', () => {
    let address: URL;
    let scene: EventScene;
    const opened: Bus[] = [];
    const open = () => {
      const { subscriptions } = scene;
      const bus = openKafka({ url: address, subscriptions, clock: systemClock, log: silentLog });
      opened.push(bus);
      return bus;
    };
    beforeEach(() => {
      address = inNamespace(url);
      scene = new EventScene();
    });
    afterEach(async () => {
      await Promise.all(opened.splice(0).map((bus) => bus.close()));
      await scene.close();
      await clear(address);
    });

    it.each(['leaves', 'dies'])('lose nothing when one joins and another one %s under load', async (end) => {
      const [first, second] = [open(), open()];
      await scene.begin(first);
      const receive = await scene.receiver('stats');
      const taken = { first: 0, second: 0 };
      const counting = (who: keyof typeof taken) => async (event: unknown) => {
        taken[who] += 1;
        await receive(event);
      };
      const told: ToldEvent[] = [];
      const publishUntil = async (enough: () => boolean) => {
        while (!enough()) {
          const more = events(told.length + 200, 40).slice(told.length);
          told.push(...more);
          await scene.publish(...more);
          await scene.until(() => scene.effects.stats.length >= told.length - 100);
        }
      };
      const leave = await first.subscribe('stats', counting('first'));
      await publishUntil(() => taken.first > 500);
      await second.subscribe('stats', counting('second'));
      await publishUntil(() => taken.second > 500);
      const ending = end === 'leaves' ? leave() : first.close();
      if (end === 'dies') {
        await scene.relay.stop();
        await scene.begin(second);
      }
      const before = taken.second;
      await publishUntil(() => taken.second > before + 1_000);
      await ending;
      await scene.until(() => scene.effects.stats.length >= told.length);
      expect(byKey(scene.effects.stats)).toEqual(byKey(told));
    });

    it('continue after a crash at the lowest incomplete event', async () => {
      address.searchParams.set('partitions', '1');
      const bus = open();
      await bus.deliver(
        'kafka',
        Array.from({ length: 10 }, (_, n) => sold(`customer-${n}`, n)),
      );
      const numbers: number[] = [];
      const noting =
        (but?: number): Receive =>
        async (event) => {
          const { n } = (event as { data: ToldEvent }).data;
          if (n === but) await new Promise(() => {});
          numbers.push(n);
        };
      await bus.subscribe('stats', noting(3));
      await expect.poll(() => bus.backlog('stats')).toBe(7);
      await expect.poll(() => numbers.length).toBe(9);
      await bus.close();
      numbers.length = 0;
      const next = open();
      await next.subscribe('stats', noting());
      await expect.poll(() => next.backlog('stats')).toBe(0);
      expect(numbers).toEqual([3, 4, 5, 6, 7, 8, 9]);
    });
  });

  describe('a cluster that is unavailable at the start of a process', () => {
    it('counts as unavailable when it accepts connections but does not answer', async () => {
      const mute = createServer().listen(0, '127.0.0.1');
      await once(mute, 'listening');
      const address = new URL(`kafka://127.0.0.1:${(mute.address() as AddressInfo).port}`);
      const subscriptions = subscriptionMap([
        { contract: { name: 'mail' }, subscriptions: [{ event: shop.events.sold }] },
      ]);
      const bus = openKafka({ url: address, subscriptions, clock: systemClock, log: silentLog });
      await bus.subscribe('mail', async () => {});
      const began = performance.now();
      await expect(bus.deliver('kafka', [sold('a', 1)])).rejects.toMatchObject({ code: 'unavailable' });
      expect(performance.now() - began).toBeLessThan(10_000);
      await bus.close();
      mute.close();
    });

    it('is named without the password', async () => {
      const { log, lines } = recordingLog();
      const address = new URL(`kafkas://somebody:secret@127.0.0.1:${await freePort()}`);
      const bus = openKafka({ url: address, subscriptions: subscriptionMap([]), clock: systemClock, log });
      const refused = await bus.deliver('kafka', [sold('a', 1)]).catch((error: Error) => error);
      expect(String(refused)).toContain('kafkas://127.0.0.1:');
      expect(`${refused} ${JSON.stringify(lines)}`).not.toContain('secret');
      await bus.close();
    });
  });
});

function sold(customer: string, n: number) {
  return encodeEvent(shop.events.sold, { customer, n }, { id: randomUUID(), time: new Date(0).toISOString() });
}
