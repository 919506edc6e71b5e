import { afterEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../../kernel/context/index.ts';
import { EventScene, shop } from '../../kernel/events/events.scene.ts';
import { type Bus, type EncodedEvent, MittBus, type Receive } from '../../kernel/events/index.ts';
import { silentLog } from '../../kernel/telemetry/index.ts';
import { ChangedBus } from './changed-bus.ts';

const turns = async () => {
  for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
};

/** A broker that keeps all events until the test tells it to deliver them. */
class Keeping implements Bus {
  readonly kept: EncodedEvent[] = [];
  reachable = true;
  closed = false;
  #receive: Receive | undefined;

  recipients = () => ['keeping'];

  async deliver(_: string, events: readonly EncodedEvent[]) {
    this.kept.push(...events);
  }

  async subscribe(_: string, receive: Receive) {
    this.#receive = receive;
    return async () => {
      this.#receive = undefined;
    };
  }

  async backlog() {
    if (!this.reachable) throw new Error('it is away');
    return this.kept.length;
  }

  async handOut() {
    while (this.kept.length > 0) {
      await this.#receive!(JSON.parse(this.kept[0]!.json));
      this.kept.shift();
    }
  }

  async close() {
    this.closed = true;
  }
}

describe('a bus in the place of another', () => {
  let scene: EventScene;
  afterEach(() => scene.close());

  it('hands a module what the old one keeps before what comes by the new one, and loses nothing', async () => {
    const clock = new ManualClock();
    scene = new EventScene(clock);
    const before = new Keeping();
    await scene.begin(before);
    for (const n of [1, 2, 3]) await scene.publish({ customer: 'a', n });
    await expect.poll(() => before.kept.length).toBe(3);
    await scene.relay.stop();

    const toNobody = { deliver: () => Promise.reject(new Error('nobody is outside')) };
    const bus = new ChangedBus(new MittBus(scene.subscriptions, toNobody), before, { clock, log: silentLog });
    expect(bus.recipients(shop.events.sold.type)).toEqual(['mail', 'stats']);
    await scene.begin(bus);
    before.reachable = false;
    const leave = await bus.subscribe('mail', await scene.receiver('mail'));
    await scene.publish({ customer: 'a', n: 4 });
    await turns();
    clock.advance(10_000);
    await turns();
    expect(scene.effects.mail).toEqual([]);

    before.reachable = true;
    expect(await bus.backlog('mail')).toBe(3);
    await before.handOut();
    while (scene.effects.mail.length < 4) {
      await turns();
      clock.advance(500);
    }
    expect(scene.effects.mail.map(({ n }) => n)).toEqual([1, 2, 3, 4]);
    await leave();
    await bus.close();
    expect(before.closed).toBe(true);
  });

  it('can be left while the old one is still asked', async () => {
    scene = new EventScene(new ManualClock());
    const before = new Keeping();
    before.kept.push({ id: 'x', type: 'shop.sold.v1', key: 'a', json: '{}' });
    const bus = new ChangedBus(new Keeping(), before, { clock: scene.clock, log: silentLog });
    const leave = await bus.subscribe('mail', await scene.receiver('mail'));
    await turns();
    await leave();
  });
});
