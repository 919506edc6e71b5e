import { randomUUID } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import { deep } from '../../../../test/harness/deep.ts';
import { refusal } from '../errors/index.ts';
import type { Bus, Receive, SubscriptionMap } from './bus.ts';
import { encodeEvent } from './envelope.ts';
import { EventScene, type Subscriber, shop, type ToldEvent } from './events.scene.ts';

/** A bus under test, as the processes of one system use it. */
export interface OpenedBus {
  bus: Bus;
  /** Makes `receive` the subscriber called `module`, in the way that this bus needs. */
  attach(module: string, receive: Receive): Promise<void>;
  /** Ends the subscription in order. */
  detach(module: string): Promise<void>;
  /** Kills the process with all its events in flight. Returns the bus as the next process finds it. */
  crash(): Promise<OpenedBus>;
  /** Adds a text to the source of events for `module`, as a foreign process might. Absent where no foreign process can. */
  bring?(module: string, text: string): Promise<void>;
  close(): Promise<void>;
}

/** A bus under test on a private server, which does not run yet. */
export interface LoneBus extends OpenedBus {
  /** The broker as the log names it. */
  readonly broker: string;
  /** The lines of the bus in the log: the level, the message and the fields. */
  readonly lines: readonly [level: string, message: string, fields: object][];
  startServer(): Promise<void>;
  /** Kills the server, runs `meanwhile`, and starts the server again. */
  restart(meanwhile: () => Promise<void>): Promise<void>;
}

type Open<B> = (subscriptions: SubscriptionMap) => Promise<B>;

/** Runs the cases of every bus. With `openAlone`, which opens a bus on a private server, also runs the cases of every broker. */
export function busCases(name: string, open: Open<OpenedBus>, openAlone?: Open<LoneBus>): void {
  describe(`the bus ${name}`, () => {
    let scene: EventScene;
    let opened: OpenedBus;
    const start = async (openBus = open) => {
      scene = new EventScene();
      opened = await openBus(scene.subscriptions);
      await scene.begin(opened.bus);
      for (const module of ['mail', 'stats'] as const) await opened.attach(module, await scene.receiver(module));
    };
    const took = (mail: number, stats: number) =>
      scene.until(() => scene.effects.mail.length >= mail && scene.effects.stats.length >= stats);
    const numbers = (module: Subscriber) => scene.effects[module].map(({ n }) => n);
    afterEach(async () => {
      await opened.close();
      await scene.close();
    });

    it('brings every event to every subscriber, once in effect, in order per key', async () => {
      await start();
      const told = events(300, 7);
      for (let from = 0; from < told.length; from += 50) await scene.publish(...told.slice(from, from + 50));
      await took(300, 300);
      for (const effects of Object.values(scene.effects)) expect(byKey(effects)).toEqual(byKey(told));
    });

    it('takes an event that comes again without doing it again', async () => {
      await start();
      await scene.publish({ customer: 'a', n: 1 });
      await took(1, 1);
      const [recipient] = opened.bus.recipients(shop.events.sold.type);
      const [{ eventId: id, type, key, envelope: json }] = (await scene.rows(recipient!)) as [never];
      const again = { id, type, key, json };
      await opened.bus.deliver(recipient!, [again, again]);
      await scene.publish({ customer: 'a', n: 2 });
      await took(2, 2);
      expect(numbers('mail')).toEqual([1, 2]);
    });

    it('lets a subscriber that fails hold back its own key only, and nobody else', async () => {
      await start();
      let failures = 0;
      scene.before = (module, { customer, n }) => {
        if (module === 'mail' && customer === 'bad' && n === 1 && failures++ < 3) throw new Error('not now');
      };
      await scene.publish({ customer: 'bad', n: 1 }, { customer: 'bad', n: 2 }, { customer: 'good', n: 3 });
      await took(3, 3);
      expect(numbers('mail')).toEqual([3, 1, 2]);
      expect(numbers('stats').sort()).toEqual([1, 2, 3]);
    });

    it('keeps events for a subscriber that is away until it is back', async () => {
      await start();
      await opened.detach('stats');
      await scene.publish({ customer: 'a', n: 1 }, { customer: 'b', n: 2 });
      await took(2, 0);
      expect(scene.effects.stats).toEqual([]);
      await opened.attach('stats', await scene.receiver('stats'));
      scene.relay.recipientReachable('stats');
      await took(2, 2);
    });

    it('has events wait for a subscriber that never was there before', async () => {
      scene = new EventScene();
      opened = await open(scene.subscriptions);
      await scene.begin(opened.bus);
      await opened.attach('mail', await scene.receiver('mail'));
      await scene.publish(...events(20, 2));
      await took(20, 0);
      await opened.attach('stats', await scene.receiver('stats'));
      scene.relay.recipientReachable('stats');
      await took(20, 20);
      expect(byKey(scene.effects.stats)).toEqual(byKey(events(20, 2)));
    });

    it('puts aside what a subscriber can never take, with the reason, and goes on', async () => {
      await start();
      scene.before = (module, { n }) => {
        if (module === 'mail' && n === 1) throw refusal('invalid-input', 'nobody is called so');
      };
      await scene.publish({ customer: 'a', n: 1 }, { customer: 'a', n: 2 });
      await took(1, 2);
      expect(numbers('mail')).toEqual([2]);
      expect(await scene.retryQueue('mail')).toMatchObject([{ state: 'dead', lastError: 'nobody is called so' }]);
    });

    it('brings again what was under way when the subscriber died, which takes effect once', async () => {
      await start();
      await opened.detach('mail');
      const receive = await scene.receiver('mail');
      await opened.attach('mail', async (event) => {
        await receive(event);
        await new Promise(() => {});
      });
      await scene.publish({ customer: 'a', n: 1 });
      await took(1, 1);
      opened = await opened.crash();
      await scene.begin(opened.bus);
      // A set: the process may have died before the broker's confirmation, and then delivers the event again.
      const again = new Set<number>();
      const next = await scene.receiver('mail');
      await opened.attach('stats', await scene.receiver('stats'));
      await opened.attach('mail', async (event) => {
        again.add((event as { data: ToldEvent }).data.n);
        await next(event);
      });
      await scene.publish({ customer: 'a', n: 2 });
      await took(2, 2);
      expect(numbers('mail')).toEqual([1, 2]);
      expect([...again]).toEqual([1, 2]);
    });

    it('waits for a slow subscriber instead of heaping up events in memory', async () => {
      await start();
      await opened.detach('stats');
      let maxInFlight = 0;
      let most = 0;
      let letGo = () => {};
      const gate = new Promise<void>((resolve) => (letGo = resolve));
      const receive = await scene.receiver('stats');
      await opened.attach('stats', async (event) => {
        most = Math.max(most, ++maxInFlight);
        await gate;
        await receive(event);
        maxInFlight -= 1;
      });
      scene.relay.recipientReachable('stats');
      const told = events(2_000, 50);
      for (let from = 0; from < told.length; from += 500) await scene.publish(...told.slice(from, from + 500));
      await took(2_000, 0);
      expect(most).toBeGreaterThan(0);
      expect(most).toBeLessThanOrEqual(1_000);
      letGo();
      await took(2_000, 2_000);
      expect(byKey(scene.effects.stats)).toEqual(byKey(told));
    });

    const losesNothing = async (many: number) => {
      await start();
      const told = events(many, 1_000);
      for (let from = 0; from < many; from += 500)
        await scene.publishAs(shop.events.counted, ...told.slice(from, from + 500));
      await took(0, many);
      expect(scene.effects.stats).toHaveLength(many);
      expect(byKey(scene.effects.stats)).toEqual(byKey(told));
    };
    // A broker has taken thousands of events in other cases.
    it('loses and doubles nothing of 10,000 events', openAlone ? deep : {}, () => losesNothing(10_000));
    it('loses and doubles nothing of 100,000 events', deep, () => losesNothing(100_000));

    it('says how much it keeps for a subscriber', async () => {
      await start();
      expect(await opened.bus.backlog('stats')).toBe(0);
    });

    // The cases below are for brokers: foreign processes can write to a broker, and a broker can die.
    if (!openAlone) return;

    it('keeps a text that is no event, with what is wrong with it', async () => {
      await start();
      await opened.bring!('mail', 'not { JSON');
      await opened.bring!('mail', '{"specversion":"1.0","id":"x"}');
      await opened.bring!('mail', `{"data":${'['.repeat(20_000)}${']'.repeat(20_000)}}`);
      await scene.publish({ customer: 'a', n: 1 });
      await took(1, 1);
      const letters = () => scene.deadLetters('mail').list({}, 10);
      await expect.poll(async () => (await letters()).length).toBe(3);
      expect((await letters()).map(({ lastError }) => lastError).sort()).toEqual([
        expect.stringMatching(/^it is no CloudEvent: source/),
        'it is not JSON, or nested too deeply',
        'it is not JSON, or nested too deeply',
      ]);
    });

    it('waits for a server that is unavailable at the start, and goes on when it was restarted in mid-stream', async () => {
      let alone!: LoneBus;
      await start(async (subscriptions) => (alone = await openAlone(subscriptions)));
      const stamp = { id: randomUUID(), time: new Date(0).toISOString() };
      const refused = encodeEvent(shop.events.sold, { customer: 'nobody', n: 0 }, stamp);
      const [recipient] = alone.bus.recipients(refused.type);
      for (let time = 0; time < 3; time++)
        await expect(alone.bus.deliver(recipient!, [refused])).rejects.toMatchObject({ code: 'unavailable' });
      await expect(alone.bus.backlog('mail')).rejects.toMatchObject({ code: 'unavailable' });
      const told = events(3_000, 30);
      const publish = async (from: number, to: number) => {
        for (let at = from; at < to; at += 100) await scene.publish(...told.slice(at, at + 100));
      };
      await publish(0, 100);
      const { broker, lines } = alone;
      const fields = {
        broker,
        why: expect.stringMatching(/refused|ECONN|failed/),
        cure: expect.stringContaining('start the'),
      };
      const lost = ['error', 'the broker cannot be reached; events wait, and it is tried again', fields];
      expect(lines).toEqual([lost]);
      expect(JSON.stringify(lines)).not.toContain('@');
      await alone.startServer();
      await took(100, 100);
      expect(lines).toEqual([lost, ['warn', 'the broker is reached again', { broker }]]);
      await publish(100, 1_000);
      await alone.restart(() => publish(1_000, 2_000));
      await publish(2_000, 3_000);
      await took(3_000, 3_000);
      for (const effects of Object.values(scene.effects)) expect(byKey(effects)).toEqual(byKey(told));
    });
  });
}

export function events(count: number, keys: number): ToldEvent[] {
  return Array.from({ length: count }, (_, n) => ({ customer: `c${n % keys}`, n }));
}

export function byKey(told: readonly ToldEvent[]): Map<string, number[]> {
  const grouped = new Map<string, number[]>();
  for (const { customer, n } of told) grouped.set(customer, [...(grouped.get(customer) ?? []), n]);
  return new Map([...grouped].sort(([a], [b]) => a.localeCompare(b)));
}
