import { CloudEvent, HTTP } from 'cloudevents';
import { sql } from 'drizzle-orm';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { currentContext, ManualClock, setTrap } from '../context/index.ts';
import { contract, earlier, event } from '../contract/index.ts';
import { refusal } from '../errors/index.ts';
import { toTraceFields } from '../telemetry/index.ts';
import type { Receive } from './bus.ts';
import { encodeEvent, maximumEventBytes, parseEvent } from './envelope.ts';
import { EventScene, nested, shop, type ToldEvent } from './events.scene.ts';
import { removeExpired } from './retention.ts';

let count = 0;

function sealed(data: object) {
  return encodeEvent(shop.events.sold, data, { id: `event-${++count}`, time: '2026-01-01T00:00:00.000Z' });
}

/** Returns an event as received from the wire. */
function sold(customer: string, n: number, type = shop.events.sold.type, data: object = { customer, n }) {
  const stamp = { id: `event-${++count}`, time: '2026-01-01T00:00:00.000Z' };
  return { ...JSON.parse(encodeEvent(shop.events.sold, { customer, n }, stamp).json), type, data };
}

describe('the inbox', () => {
  let clock: ManualClock;
  let scene: EventScene;
  let receive: Receive;
  beforeEach(async () => {
    clock = new ManualClock();
    scene = new EventScene(clock);
    receive = await scene.receiver('mail');
  });
  afterEach(() => scene.close());

  const numbers = () => scene.effects.mail.map(({ n }) => n);
  async function passUntil(done: () => boolean | Promise<boolean>, stepMs = 500) {
    while (!(await done())) {
      for (let turns = 0; turns < 20; turns++) await new Promise((resolve) => setImmediate(resolve));
      clock.advance(stepMs);
    }
  }
  const fail = (which: (told: ToldEvent) => boolean, error: () => Error) => {
    scene.before = (_, told) => {
      if (which(told)) throw error();
    };
  };

  it('does once what comes many times, also side by side', async () => {
    const one = sold('a', 1);
    await Promise.all([receive(one), receive(one), receive(one)]);
    await receive(one);
    expect(numbers()).toEqual([1]);
  });

  it('puts aside at once an event that makes a check throw, in its envelope or in its data', async () => {
    const crafted = JSON.parse('{"length":{"toString":""}}');
    await receive({ ...sold('a', 1), id: crafted });
    await receive(sold('b', 2, undefined, { customer: crafted, n: 2 }));
    await receive(sold('c', 3));
    const retryQueue = await scene.retryQueue('mail');
    expect(retryQueue.map(({ state, attempts }) => [state, attempts])).toEqual(retryQueue.map(() => ['dead', 1]));
    expect(retryQueue.map(({ lastError }) => lastError)).toEqual([
      'it is no CloudEvent: id: must be a text',
      'customer: must be a text',
    ]);
    expect(numbers()).toEqual([3]);
  });

  it.each([
    ['the longest key', { customer: 'x'.repeat(200), n: 1 }],
    ['the deepest data', { customer: 'a', n: 1, note: nested(98) }],
    ['the largest data', { customer: 'a', n: 1, note: { text: 'x'.repeat(maximumEventBytes - 300) } }],
    ['brackets in a text', { customer: '[{', n: 1, note: { text: '[{'.repeat(500) } }],
    [
      'brackets after a quotation mark in a text',
      { customer: 'a', n: 1, note: { text: `\\"\\\\${'"['.repeat(500)}` } },
    ],
    ['signs of faces', { customer: ':[', n: 1, note: { text: ':[ '.repeat(500) } }],
  ])('takes what may be published: %s', async (_, data) => {
    await receive(parseEvent(sealed(data).json));
    expect(scene.effects.mail).toEqual([data]);
  });

  it('tries again later and later, and gives up after twelve times, with the history of each', async () => {
    fail(
      () => true,
      () => new Error('no use'),
    );
    await receive(sold('a', 1));
    expect(await scene.retryQueue('mail')).toMatchObject([{ state: 'failed', attempts: 1, lastError: 'no use' }]);
    await passUntil(async () => (await scene.retryQueue('mail'))[0]!.state === 'dead', 10_000);
    const [row] = await scene.retryQueue('mail');
    expect(row!.attempts).toBe(12);
    expect(row!.history.map(({ what }) => what)).toEqual([...Array(11).fill('failed'), 'dead']);
    const waits = row!.history.slice(1).map(({ at }, index) => at - row!.history[index]!.at);
    expect(waits.at(-1)).toBeGreaterThanOrEqual(51_200);
  });

  it('counts failures however often the event waits for another part of the system between them', async () => {
    let [failures, waits] = [0, 0];
    scene.before = () => {
      if (++waits % 10 !== 0) throw refusal('unavailable', 'not yet');
      failures += 1;
      throw new Error('no use');
    };
    await receive(sold('a', 1));
    await passUntil(async () => (await scene.retryQueue('mail'))[0]!.state === 'dead' || failures > 12, 2_000);
    const [row] = await scene.retryQueue('mail');
    expect([row!.state, failures]).toEqual(['dead', 12]);
    expect(row!.history.filter(({ what }) => what === 'failed')).toHaveLength(11);
    expect(row!.history).toHaveLength(40);
  });

  it('tries again soon what a clock that was wrong put hours away', async () => {
    let broken = true;
    fail(
      () => broken,
      () => new Error('not now'),
    );
    await receive(sold('a', 1));
    const later = sql`UPDATE kerf_held SET next_attempt_at = next_attempt_at + 7200000`;
    await scene.database('mail').work(async (unit) => void (await unit.db.run(later)));
    broken = false;
    const before = clock.now();
    await passUntil(() => numbers().length === 1);
    expect(clock.now() - before).toBeLessThan(5_000);
  });

  it('tries it again soon also behind hundreds of keys that fail all the time', async () => {
    let broken = true;
    fail(
      ({ n }) => broken || n !== 0,
      () => refusal('unavailable', 'not yet'),
    );
    await receive(sold('a', 0));
    const later = sql`UPDATE kerf_held SET next_attempt_at = next_attempt_at + 7200000`;
    await scene.database('mail').work(async (unit) => void (await unit.db.run(later)));
    broken = false;
    await Promise.all(Array.from({ length: 300 }, (_, n) => receive(sold(`other ${n}`, n + 1))));
    const before = clock.now();
    await passUntil(() => numbers().length > 0 || clock.now() - before > 20_000);
    expect(numbers()).toEqual([0]);
  });

  it('never gives up on what waits for another part of the system', async () => {
    let known = false;
    fail(
      () => !known,
      () => refusal('unavailable', 'who is that?'),
    );
    await receive(sold('a', 1));
    await passUntil(async () => (await scene.retryQueue('mail'))[0]!.attempts >= 20);
    let failures = 0;
    scene.before = () => {
      if (!known) throw ++failures === 5 ? refusal('unavailable', 'still?') : new Error('not so');
    };
    await passUntil(() => failures >= 11, 60_000);
    expect(await scene.retryQueue('mail')).toMatchObject([{ state: 'failed' }]);
    known = true;
    await passUntil(() => numbers().length === 1, 60_000);
    expect(await scene.retryQueue('mail')).toMatchObject([{ state: 'delivered' }]);
  });

  it('keeps the order of a key behind one that fails, and goes on with it after one that is dead', async () => {
    fail(
      ({ n }) => n === 1,
      () => new Error('no use'),
    );
    for (const n of [1, 2, 3]) await receive(sold('a', n));
    await receive(sold('b', 4));
    expect(numbers()).toEqual([4]);
    expect((await scene.retryQueue('mail')).map(({ state }) => state)).toEqual(['failed', 'pending', 'pending']);
    await passUntil(() => numbers().length === 3, 60_000);
    expect(numbers()).toEqual([4, 2, 3]);
    expect((await scene.retryQueue('mail')).map(({ state }) => state)).toEqual(['dead', 'delivered', 'delivered']);
  });

  it('retries, after a start, the events that an earlier run left in the retry queue', async () => {
    fail(
      () => true,
      () => new Error('not now'),
    );
    await receive(sold('a', 1));
    scene.before = () => {};
    await scene.receiver('mail');
    await passUntil(() => numbers().length === 1);
  });

  it('goes on with what stands behind an event that was taken just before it stopped', async () => {
    let broken = true;
    fail(
      () => broken,
      () => new Error('not now'),
    );
    for (const n of [1, 2, 3]) await receive(sold('a', n));
    broken = false;
    setTrap((point) => {
      if (point.endsWith('/tried again')) void scene.receiver('mail');
    });
    await passUntil(() => numbers().length >= 1);
    setTrap(undefined);
    receive = await scene.receiver('mail');
    await receive(sold('a', 4));
    await passUntil(() => numbers().length === 4);
    expect(numbers()).toEqual([1, 2, 3, 4]);
  });

  it('reaches other keys, however many of one are to be tried again', async () => {
    fail(
      ({ customer, n }) => customer === 'a' || (customer === 'b' && n === 1),
      () => refusal('invalid-input', 'no such customer'),
    );
    for (let n = 0; n < 300; n++) await receive(sold('a', n));
    scene.before = (_, told) => {
      if (told.customer === 'a' || clock.now() < Date.UTC(2026, 0, 1, 0, 0, 2)) throw new Error('not now');
    };
    await receive(sold('b', 1));
    await scene.deadLetters('mail').replayAll({});
    await passUntil(() => numbers().length === 1);
    expect(scene.effects.mail).toEqual([{ customer: 'b', n: 1 }]);
  });

  it('puts aside a version it does not know, says which it knows, and takes what comes after it', async () => {
    await receive(sold('a', 1, 'shop.sold.v9'));
    await receive(sold('a', 2));
    expect(numbers()).toEqual([2]);
    expect(await scene.retryQueue('mail')).toMatchObject([
      { state: 'dead', type: 'shop.sold.v9', lastError: 'mail does not know shop.sold.v9; it knows shop.sold.v1' },
    ]);
  });

  it('brings an earlier version up to what its handler knows', async () => {
    const renamed = contract('store', {
      operations: {},
      events: {
        sold: event('sold', 3, 'buyer', z.object({ buyer: z.string(), pieces: z.int() }), [
          earlier(1, z.object({ customer: z.string(), n: z.int() }), ({ customer, n }) => ({
            buyer: customer,
            pieces: n,
          })),
          earlier(2, z.object({ buyer: z.string() }), (old) => ({ ...old, pieces: 1 })),
        ]),
      },
    });
    const told: unknown[] = [];
    const handle = async (data: object) => void told.push(data);
    receive = await scene.receiver('mail', [{ event: renamed.events.sold, handle: handle as never }]);
    const source = { source: '/modules/store' };
    await receive({ ...sold('a', 7, 'store.sold.v1'), ...source });
    await receive({ ...sold('a', 0, 'store.sold.v2', { buyer: 'b' }), ...source });
    await receive({ ...sold('a', 0, 'store.sold.v3', { buyer: 'c', pieces: 3 }), ...source });
    expect(told).toEqual([
      { buyer: 'a', pieces: 7 },
      { buyer: 'b', pieces: 1 },
      { buyer: 'c', pieces: 3 },
    ]);
  });

  it('puts aside data that does not fit, and texts that are no event, once each', async () => {
    await receive(sold('a', 1, shop.events.sold.type, { customer: 'a' }));
    for (let times = 0; times < 2; times++) {
      await receive('{ "no": JSON');
      await receive({ specversion: '1.0', id: 'x', type: 'y' });
      await receive(null);
    }
    const letters = await scene.deadLetters('mail').list({}, 10);
    expect(letters.map(({ lastError }) => lastError)).toEqual([
      'n: is missing',
      'it is not JSON, or nested too deeply',
      'it is no CloudEvent: source: is missing',
      'it is no CloudEvent: must be an object: names, each with a value',
    ]);
    expect(letters[1]!.event).toBe('{ "no": JSON');
  });

  it('keeps what its bus gave up as a dead letter with the reason, goes on behind it, and lets a person try it again', async () => {
    await receive(sold('a', 1), 'nobody ever took it');
    await receive(sold('a', 2));
    expect(numbers()).toEqual([2]);
    const [letter] = await scene.deadLetters('mail').list({}, 10);
    expect(letter).toMatchObject({ lastError: 'nobody ever took it', event: { data: { customer: 'a', n: 1 } } });
    await scene.deadLetters('mail').replay(letter!.id);
    await scene.until(() => numbers().includes(1));
  });

  it('does not mind that its bus gave up what has taken effect', async () => {
    const one = sold('a', 1);
    await receive(one);
    await receive(one, 'nobody ever took it');
    expect(numbers()).toEqual([1]);
    expect(await scene.deadLetters('mail').list({}, 10)).toEqual([]);
  });

  it('puts aside what is nested too deeply or too long to be written again, and takes what comes after it', async () => {
    const deep = `{"data":${'['.repeat(5_000)}${']'.repeat(5_000)}}`;
    const long = `"${'x'.repeat(2_000_000)}"`;
    for (const text of [deep, long]) await receive(parseEvent(text));
    await receive(sold('a', 1));
    expect(numbers()).toEqual([1]);
    const [first, second] = await scene.deadLetters('mail').list({}, 10);
    expect(first).toMatchObject({ event: deep, lastError: 'it is not JSON, or nested too deeply' });
    expect(second!.lastError).toMatch(/^it has 2000002 characters, over the 262144/);
    expect((second!.event as string).length).toBe(64 * 1024);
  });

  it('puts aside what somebody else says in the name of a module', async () => {
    await receive({ ...sold('a', 1), source: '/modules/intruder' });
    expect(await scene.retryQueue('mail')).toMatchObject([
      { state: 'dead', lastError: 'shop.sold.v1 comes from /modules/shop, not from /modules/intruder' },
    ]);
  });

  it('takes an event whatever stands in the place of its trace', async () => {
    const [traces, trace]: [unknown[], string] = [[], `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`];
    scene.before = () => void traces.push(toTraceFields(currentContext()?.trace).traceparent);
    for (const traceparent of [trace, 7, null, { of: 'nobody' }, 'x'.repeat(201)])
      await receive({ ...sold('a', traces.length), traceparent });
    expect(traces).toEqual([trace, undefined, undefined, undefined, undefined]);
  });

  it('forgets ids and completed rows of the retry queue after seven days, but no dead letter', async () => {
    await receive(sold('a', 1));
    await receive(sold('a', 1, 'shop.sold.v9'));
    await scene.database('mail').work((unit) => removeExpired(unit, clock.now() + 8 * 24 * 60 * 60_000, 100));
    expect(await scene.retryQueue('mail')).toHaveLength(1);
  });
});

describe('the wire form of an event', () => {
  it('is a CloudEvent to the official SDK, and survives it unchanged', () => {
    const sealed = encodeEvent(
      shop.events.sold,
      { customer: 'a', n: 1 },
      {
        id: '01a20574-e188-771a-a67c-f689723c5abe',
        time: '2026-01-01T00:00:00.000Z',
        traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
      },
    );
    const headers = { 'content-type': 'application/cloudevents+json' };
    const read = HTTP.toEvent({ headers, body: sealed.json }) as CloudEvent<ToldEvent>;
    expect(read.validate()).toBe(true);
    expect(read).toMatchObject({ type: 'shop.sold.v1', partitionkey: 'a', data: { customer: 'a', n: 1 } });
    expect(JSON.parse(HTTP.structured(read).body as string)).toEqual(JSON.parse(sealed.json));
  });

  it('that the official SDK writes is taken in', async () => {
    const scene = new EventScene(new ManualClock());
    const receive = await scene.receiver('mail');
    const written = new CloudEvent({
      source: '/modules/shop',
      type: 'shop.sold.v1',
      datacontenttype: 'application/json',
      partitionkey: 'a',
      data: { customer: 'a', n: 1 },
    });
    await receive(JSON.parse(HTTP.structured(written).body as string));
    expect(scene.effects.mail).toEqual([{ customer: 'a', n: 1 }]);
    await scene.close();
  });
});
