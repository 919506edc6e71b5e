import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../context/index.ts';
import { refusal } from '../errors/index.ts';
import type { Receive } from './bus.ts';
import { encodeEvent } from './envelope.ts';
import { EventScene, shop } from './events.scene.ts';

let count = 0;

describe('dead letters', () => {
  let clock: ManualClock;
  let scene: EventScene;
  let receive: Receive;
  let broken: boolean;
  beforeEach(async () => {
    clock = new ManualClock();
    scene = new EventScene(clock);
    broken = true;
    scene.before = (_, { n }) => {
      if (broken && n > 0) throw refusal('invalid-input', n > 100 ? 'too many' : 'no such customer');
    };
    receive = await scene.receiver('mail');
  });
  afterEach(() => scene.close());

  function sold(customer: string, n: number) {
    const stamp = { id: `letter-${++count}`, time: '2026-01-01T00:00:00.000Z' };
    return JSON.parse(encodeEvent(shop.events.sold, { customer, n }, stamp).json);
  }
  const numbers = () => scene.effects.mail.map(({ n }) => n);

  it('are listed with their events, by type, key and error', async () => {
    for (const [customer, n] of [
      ['a', 1],
      ['b', 2],
      ['b', 200],
    ] as const)
      await receive(sold(customer, n));
    const letters = scene.deadLetters('mail');
    const found = async (filter: object) =>
      (await letters.list(filter, 10)).map(({ event }) => (event as never as { data: { n: number } }).data.n);
    expect(await found({})).toEqual([1, 2, 200]);
    expect(await found({ key: 'b' })).toEqual([2, 200]);
    expect(await found({ error: 'too many' })).toEqual([200]);
    expect(await found({ type: 'shop.sold.v1', key: 'a' })).toEqual([1]);
    expect(await found({ type: 'shop.sold.v2' })).toEqual([]);
  });

  it('take effect once when they are replayed, however often, and tell their whole story', async () => {
    const event = sold('a', 1);
    await receive(event);
    const letters = scene.deadLetters('mail');
    const { id } = (await letters.list({}, 1))[0]!;
    clock.advance(1_000);
    await letters.replay(id);
    await expect.poll(async () => (await letters.read(id)).state).toBe('dead');
    broken = false;
    await letters.replay(id);
    await scene.until(() => numbers().length === 1);
    await expect(letters.replay(id)).rejects.toMatchObject({ code: 'not-found', message: /is delivered/ });
    await receive(event);
    expect(numbers()).toEqual([1]);
    const { state, history } = await letters.read(id);
    expect(state).toBe('delivered');
    expect(history).toEqual([
      { at: '2026-01-01T00:00:00.000Z', what: 'dead', why: 'no such customer' },
      { at: '2026-01-01T00:00:01.000Z', what: 'replayed' },
      { at: '2026-01-01T00:00:01.000Z', what: 'dead', why: 'no such customer' },
      { at: '2026-01-01T00:00:01.000Z', what: 'replayed' },
      { at: '2026-01-01T00:00:01.000Z', what: 'delivered' },
    ]);
  });

  it('are replayed or discarded by a filter, more than fit into one unit', async () => {
    for (let n = 1; n <= 450; n++) await receive(sold(`c${n % 9}`, n));
    broken = false;
    const letters = scene.deadLetters('mail');
    expect(await letters.discardAll({ error: 'too many' }, 'their orders are void')).toBe(350);
    expect(await letters.replayAll({})).toBe(100);
    await scene.until(() => numbers().length === 100);
    expect(numbers().sort((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, index) => index + 1));
    expect(await letters.list({}, 1)).toEqual([]);
  });

  it('are discarded with a reason, and do not come back with the event', async () => {
    const event = sold('a', 1);
    await receive(event);
    const letters = scene.deadLetters('mail');
    const { id } = (await letters.list({}, 1))[0]!;
    await letters.discard(id, 'a test order');
    broken = false;
    await receive(event);
    expect(numbers()).toEqual([]);
    expect(await letters.list({}, 10)).toEqual([]);
    expect((await letters.read(id)).history.at(-1)).toMatchObject({ what: 'discarded', why: 'a test order' });
  });

  it('that are no event can only be discarded, and stay when all others are replayed', async () => {
    await receive('nonsense');
    const letters = scene.deadLetters('mail');
    const { id } = (await letters.list({}, 1))[0]!;
    await expect(letters.replay(id)).rejects.toMatchObject({ code: 'invalid-input' });
    expect(await letters.replayAll({})).toBe(0);
    await letters.discard(id, 'a mistyped command');
    expect(await letters.list({}, 10)).toEqual([]);
  });

  it('of the outbox go out again when they are replayed', async () => {
    let refused = true;
    await scene.begin({
      recipients: () => ['mail'],
      deliver: async () => {
        if (refused) throw refusal('invalid-input', 'the broker takes none of these');
      },
    } as never);
    await scene.publish({ customer: 'a', n: 1 });
    const letters = scene.deadLetters('shop');
    await expect.poll(async () => (await letters.list({}, 10)).length).toBe(1);
    const [letter] = await letters.list({}, 10);
    expect(letter).toMatchObject({ recipient: 'mail', lastError: 'the broker takes none of these' });
    refused = false;
    await letters.replay(letter!.id);
    await expect.poll(async () => (await scene.rows('mail'))[0]!.state).toBe('delivered');
  });

  it('are not found by names that nobody gave', async () => {
    const letters = scene.deadLetters('mail');
    for (const id of ['in-1', 'out-1', 'in-', 'in-1e3', 'over-1', '', "in-1' or 1=1"]) {
      await expect(letters.read(id)).rejects.toMatchObject({ code: 'not-found' });
      await expect(letters.replay(id)).rejects.toMatchObject({ code: 'not-found' });
    }
  });
});
