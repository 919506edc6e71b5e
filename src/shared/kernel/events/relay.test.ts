import { afterEach, describe, expect, it } from 'vitest';
import { Cancellation, currentContext, ManualClock, runInContext } from '../context/index.ts';
import { refusal } from '../errors/index.ts';
import type { Log } from '../telemetry/index.ts';
import type { EncodedEvent } from './envelope.ts';
import { EventScene, nested } from './events.scene.ts';
import { removeExpired } from './retention.ts';

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('the relay', () => {
  let clock: ManualClock;
  let scene: EventScene;
  afterEach(() => scene.close());

  /** Starts a relay on a bus whose deliveries the test controls. Returns the events of each delivery. */
  async function begin(
    deliver: (numbers: number[]) => Promise<void>,
    { again = false, log, before }: { again?: boolean; log?: Log; before?: () => Promise<void> } = {},
  ) {
    if (!again) {
      clock = new ManualClock();
      scene = new EventScene(clock, log);
    }
    const carried: number[][] = [];
    if (before) {
      await scene.begin({ recipients: () => ['mail'], deliver: () => new Promise(() => {}) } as never);
      await scene.relay.stop();
      await before();
    }
    await scene.begin({
      recipients: () => ['mail'],
      async deliver(_recipient: string, events: readonly EncodedEvent[]) {
        const numbers = events.map(({ json }) => JSON.parse(json).data.n as number);
        carried.push(numbers);
        await deliver(numbers);
      },
    } as never);
    return carried;
  }

  /** Lets time pass in small steps until `done` holds. */
  async function passUntil(done: () => boolean | Promise<boolean>, stepMs = 500) {
    while (!(await done())) {
      for (let turns = 0; turns < 20; turns++) await turn();
      clock.advance(stepMs);
    }
  }

  const settled = async (state: string, count: number) => {
    for (;;) {
      const rows = (await scene.rows('mail')).filter((row) => row.state === state);
      if (rows.length === count) return rows;
      await turn();
    }
  };

  it('waits for a recipient that is away, with one event in hand and nothing written, however long', async () => {
    let away = true;
    const carried = await begin(async () => {
      if (away) throw refusal('unavailable', 'away');
    });
    await scene.publish(...Array.from({ length: 1_000 }, (_, n) => ({ customer: `c${n}`, n })));
    await passUntil(() => carried.length >= 30);
    expect(carried[0]).toHaveLength(256);
    expect(carried.slice(1)).toEqual(carried.slice(1).map(() => [0]));
    expect((await scene.rows('mail')).every(({ state, attempts }) => state === 'pending' && attempts === 0)).toBe(true);
    away = false;
    const from = carried.length;
    await passUntil(async () => (await scene.rows('mail')).every(({ state }) => state === 'delivered'));
    expect(carried.slice(from).flat()).toEqual(Array.from({ length: 1_000 }, (_, n) => n));
  });

  it('delivers in nobody’s request: neither its deadline nor its client that hangs up ends a delivery', async () => {
    const seen: unknown[] = [];
    let away = true;
    const carried = await begin(async () => {
      seen.push(currentContext());
      if (away) throw refusal('unavailable', 'away');
    });
    const cancellation = new Cancellation();
    const request = { requestId: 'r1', caller: 'gateway', deadline: clock.now(), cancellation };
    await runInContext(request, () => scene.publish({ customer: 'a', n: 1 }));
    cancellation.cancel();
    await passUntil(() => carried.length >= 3);
    away = false;
    runInContext(request, () => scene.relay.recipientReachable('mail'));
    await settled('delivered', 1);
    expect(new Set(seen)).toEqual(new Set([undefined]));
  });

  it('goes on at once when it is told that the recipient is back', async () => {
    let away = true;
    const carried = await begin(async () => {
      if (away) throw refusal('unavailable', 'away');
    });
    await scene.publish({ customer: 'a', n: 1 });
    await passUntil(() => carried.length >= 10);
    away = false;
    scene.relay.recipientReachable('mail');
    await settled('delivered', 1);
  });

  it('goes on at once also when it is told so during a delivery that fails', async () => {
    let fail = () => {};
    const carried = await begin(async () => {
      if (carried.length === 1)
        await new Promise<void>((_, reject) => (fail = () => reject(refusal('unavailable', 'away'))));
    });
    await scene.publish({ customer: 'a', n: 1 });
    await passUntil(() => carried.length === 1);
    scene.relay.recipientReachable('mail');
    fail();
    await settled('delivered', 1);
  });

  it('puts aside what the bus refuses for good, with its history, and goes on', async () => {
    await begin(async (numbers) => {
      if (numbers.includes(2)) throw refusal('invalid-input', 'too long a name');
    });
    await scene.publish({ customer: 'a', n: 1 }, { customer: 'a', n: 2 }, { customer: 'a', n: 3 });
    await settled('delivered', 2);
    const [row] = await settled('dead', 1);
    expect(row).toMatchObject({ attempts: 1, lastError: 'too long a name', history: [{ what: 'dead' }] });
  });

  it.each([
    ['for good', () => refusal('invalid-input', 'too large'), 1],
    ['twelve times', () => new Error('too large'), 12],
  ])(
    'finds the one event that is refused %s in a batch by halving it, and says it once',
    async (_, error, attempts) => {
      const lines: string[] = [];
      const note = (level: string) => (_: object, message: string) => void lines.push(`${level}: ${message}`);
      const log = { error: note('error'), warn: note('warn'), info: note('info') } as unknown as Log;
      const told = Array.from({ length: 1_000 }, (_, n) => ({ customer: `c${n}`, n }));
      const refuse = async (numbers: number[]) => {
        if (numbers.includes(200)) throw error();
      };
      const carried = await begin(refuse, { log, before: () => scene.publish(...told) });
      await passUntil(async () =>
        (await scene.rows('mail')).every(({ state }) => state !== 'pending' && state !== 'failed'),
      );
      expect((await scene.rows('mail')).filter(({ state }) => state === 'dead')).toMatchObject([{ attempts }]);
      expect(carried.flat().length).toBeLessThan(told.length + 2 * 256 + attempts);
      expect(carried.length).toBeLessThan(40);
      expect(lines).toEqual([
        ...(attempts > 1 ? ['warn: events wait: they cannot be delivered'] : []),
        'error: an event became a dead letter',
        ...(attempts > 1 ? ['info: events are delivered again'] : []),
      ]);
    },
  );

  it('carries each of several refused events no more often than it takes to find them', async () => {
    const bad = [3, 4, 100, 255];
    const told = Array.from({ length: 256 }, (_, n) => ({ customer: `c${n}`, n }));
    const carried = await begin(
      async (numbers) => {
        if (bad.some((n) => numbers.includes(n))) throw refusal('invalid-input', 'too large');
      },
      { before: () => scene.publish(...told) },
    );
    await passUntil(async () =>
      (await scene.rows('mail')).every(({ state }) => state === 'delivered' || state === 'dead'),
    );
    const dead = (await scene.rows('mail')).filter(({ state }) => state === 'dead');
    expect(dead.map(({ envelope }) => JSON.parse(envelope).data.n)).toEqual(bad);
    expect(carried.flat().length).toBeLessThan(256 * 4);
  });

  it('gives up after twelve times on what fails without a reason to wait', async () => {
    const carried = await begin(async () => {
      throw new Error('no use');
    });
    await scene.publish({ customer: 'a', n: 1 });
    await passUntil(async () => (await scene.rows('mail'))[0]!.state === 'dead', 60_000);
    expect((await scene.rows('mail'))[0]).toMatchObject({ attempts: 12, lastError: 'no use' });
    expect(carried).toHaveLength(12);
  });

  it('hands on what is replayed while newer events are on their way', async () => {
    let refused = true;
    let letGo = () => {};
    const gate = new Promise<void>((resolve) => (letGo = resolve));
    const carried = await begin(async (numbers) => {
      if (refused && numbers[0]! < 3) throw refusal('invalid-input', 'not these');
      if (numbers.includes(3)) await gate;
    });
    await scene.publish({ customer: 'a', n: 1 }, { customer: 'a', n: 2 });
    const dead = await settled('dead', 2);
    refused = false;
    const letters = scene.deadLetters('shop');
    await scene.relay.stop();
    await letters.replay(`out-${dead[0]!.seq}`);
    await scene.publish({ customer: 'a', n: 3 });
    scene.relay.start(['mail']);
    while (!carried.some((numbers) => numbers.includes(3))) await turn();
    await letters.replay(`out-${dead[1]!.seq}`);
    letGo();
    await settled('delivered', 3);
    expect(carried.at(-1)).toEqual([2]);
  });

  it('takes up, when it starts, what an earlier run left', async () => {
    await begin(async () => {
      throw refusal('unavailable', 'away');
    });
    await scene.publish({ customer: 'a', n: 1 }, { customer: 'b', n: 2 });
    await scene.relay.stop();
    const carried = await begin(async () => {}, { again: true });
    await settled('delivered', 2);
    expect(carried).toEqual([[1, 2]]);
  });

  it('carries no more in one delivery than a body may hold', async () => {
    const carried = await begin(async () => {});
    await scene.publish(
      ...Array.from({ length: 10 }, (_, n) => ({ customer: 'a', n, note: { text: 'x'.repeat(200_000) } })),
    );
    await settled('delivered', 10);
    expect(Math.max(...carried.map((each) => each.length))).toBe(1);
  });

  it('removes what was delivered after an hour, and nothing that was not', async () => {
    await begin(async (numbers) => {
      if (numbers.includes(2)) throw refusal('unavailable', 'away');
    });
    await scene.publish({ customer: 'a', n: 1 });
    await settled('delivered', 1);
    await scene.publish({ customer: 'b', n: 2 });
    const later = clock.now() + 61 * 60_000;
    await scene.publisher.work((unit) => removeExpired(unit, later, 100));
    expect((await scene.rows('mail')).map(({ state }) => state)).toEqual(['pending']);
  });

  it('keeps a discarded event, and the reason for it, for seven days', async () => {
    await begin(async () => {
      throw refusal('invalid-input', 'no');
    });
    await scene.publish({ customer: 'a', n: 1 });
    await settled('dead', 1);
    const letters = scene.deadLetters('shop');
    const { id } = (await letters.list({}, 1))[0]!;
    await letters.discard(id, 'a test order');
    const removedAfter = (hours: number) =>
      scene.publisher.work((unit) => removeExpired(unit, clock.now() + hours * 60 * 60_000, 100));
    await removedAfter(7 * 24);
    expect((await letters.read(id)).history.at(-1)).toMatchObject({ what: 'discarded', why: 'a test order' });
    await removedAfter(7 * 24 + 1);
    expect(await scene.rows('mail')).toEqual([]);
  });

  it('refuses an event that does not fit its schema, or is too large, where it is published', async () => {
    await begin(async () => {});
    await expect(scene.publish({ customer: 'a', n: 1.5 })).rejects.toThrow(/int/);
    await expect(scene.publish({ customer: 'a', n: 1, note: { text: 'x'.repeat(300_000) } })).rejects.toThrow(
      /over the 262144 an event may have/,
    );
    await expect(scene.publish({ customer: 'x'.repeat(201), n: 1 })).rejects.toThrow(
      /^shop.sold.v1 cannot be sent: partitionkey must be at most 200/,
    );
    await expect(scene.publish({ customer: 'a', n: 1, note: nested(99) })).rejects.toThrow(/more than 100 levels/);
    expect(await scene.rows('mail')).toEqual([]);
  });
});
