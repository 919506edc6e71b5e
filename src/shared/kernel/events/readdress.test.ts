import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { refusal } from '../errors/index.ts';
import type { EncodedEvent } from './envelope.ts';
import { EventScene, shop } from './events.scene.ts';
import { readdress } from './readdress.ts';

const modules = (type: string) => (type === shop.events.sold.type ? ['mail', 'stats'] : ['stats']);
const broker = () => ['amqp'];
const brokers = ['amqp', 'kafka'];

describe('what waits in an outbox when another bus takes over', () => {
  let scene: EventScene;
  beforeEach(() => (scene = new EventScene()));
  afterEach(() => scene.close());

  /** Publishes events while the bus refuses all deliveries. */
  async function publishTo(recipients: (type: string) => string[], numbers: number[]) {
    await scene.begin({
      recipients,
      deliver: async () => {
        throw refusal('unavailable', 'away');
      },
    } as never);
    for (const n of numbers) {
      await scene.publish({ customer: 'a', n });
      await scene.publishAs(shop.events.counted, { customer: 'a', n: n + 0.5 === n ? n : n * 10 });
    }
    await scene.relay.stop();
  }

  async function delivered(recipients: (type: string) => string[]) {
    const got = new Map<string, number[]>();
    await scene.begin({
      recipients,
      async deliver(recipient: string, events: readonly EncodedEvent[]) {
        const numbers = events.map(({ json }) => JSON.parse(json).data.n as number);
        got.set(recipient, [...(got.get(recipient) ?? []), ...numbers]);
      },
    } as never);
    await expect.poll(async () => (await open()).length).toBe(0);
    return Object.fromEntries(got);
  }

  const open = async () =>
    [...(await scene.rows('mail')), ...(await scene.rows('stats')), ...(await scene.rows('amqp'))].filter(
      ({ state }) => state !== 'delivered',
    );

  it('goes to the broker, once for each event, in order', async () => {
    await publishTo(modules, [1, 2, 3]);
    expect(await readdress(scene.publisher, { recipients: broker }, ['amqp'], brokers)).toBe(9);
    expect(await delivered(broker)).toEqual({ amqp: [1, 10, 2, 20, 3, 30] });
  });

  it('goes from the broker to each module that subscribes, in order', async () => {
    await publishTo(broker, [1, 2, 3]);
    expect(await readdress(scene.publisher, { recipients: modules }, ['mail', 'stats'], brokers)).toBe(6);
    expect(await delivered(modules)).toEqual({ mail: [1, 2, 3], stats: [1, 10, 2, 20, 3, 30] });
  });

  it('stays as it is when the bus knows everybody', async () => {
    await publishTo(modules, [1]);
    const before = await open();
    expect(await readdress(scene.publisher, { recipients: modules }, ['mail', 'stats'], brokers)).toBe(0);
    expect(await open()).toEqual(before);
  });

  it('stays when it is for a module that this release does not know', async () => {
    await publishTo(modules, [1]);
    expect(await readdress(scene.publisher, { recipients: () => ['mail'] }, ['mail'], brokers)).toBe(0);
    expect((await open()).map(({ recipient }) => recipient)).toEqual(['mail', 'stats', 'stats']);
  });

  it('is moved in portions, with more than one of them', async () => {
    await publishTo(
      broker,
      Array.from({ length: 400 }, (_, n) => n + 1),
    );
    expect(await readdress(scene.publisher, { recipients: modules }, ['mail', 'stats'], brokers)).toBe(800);
    const { mail } = await delivered(modules);
    expect(mail).toEqual(Array.from({ length: 400 }, (_, n) => n + 1));
  });
});
