import { afterEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../clock/index.ts';
import { refusal } from '../errors/index.ts';
import { Scene } from './bus.cases.ts';
import { removeExpired } from './retention.ts';

const { recipients } = { recipients: () => ['mail'] };

describe('the relay', () => {
  const clock = new ManualClock();
  let scene: Scene;
  afterEach(() => scene.close());

  /** A bus whose deliveries are under the test's control. */
  function begin(deliver: (n: number) => Promise<void>) {
    scene = new Scene(clock);
    const log: string[] = [];
    const bus = {
      recipients,
      subscribe: () => () => {},
      close: async () => {},
      deliver: async (_recipient: string, { data }: { data: Record<string, unknown> }) => {
        log.push(`try ${data.n}`);
        await deliver(data.n as number);
        log.push(`done ${data.n}`);
      },
    };
    scene.begin(bus as never);
    return log;
  }

  const settled = async (state: string, count: number) => {
    for (;;) {
      const rows = (await scene.rows('mail')).filter((row) => row.state === state);
      if (rows.length === count) return rows;
      await new Promise((resolve) => setImmediate(resolve));
    }
  };

  it('tries again later and later, and gives up after twelve times, naming the last error', async () => {
    const log = begin(async () => {
      throw new Error('no use');
    });
    await scene.publish({ customer: 'a', n: 1 });
    for (let attempt = 1; attempt < 12; attempt++) {
      await settled('failed', 1);
      while ((await settled('failed', 1))[0]!.attempts < attempt) await new Promise((resolve) => setImmediate(resolve));
      await new Promise((resolve) => setImmediate(resolve));
      clock.advance(60_000);
    }
    const [row] = await settled('dead', 1);
    expect(row).toMatchObject({ attempts: 12, lastError: 'no use' });
    expect(log).toHaveLength(12);
  });

  it('never gives up on a recipient that is away', async () => {
    let away = true;
    begin(async () => {
      if (away) throw refusal('unavailable', 'away');
    });
    await scene.publish({ customer: 'a', n: 1 });
    for (let attempt = 1; attempt <= 20; attempt++) {
      while ((await settled('failed', 1))[0]!.attempts < attempt) await new Promise((resolve) => setImmediate(resolve));
      await new Promise((resolve) => setImmediate(resolve));
      clock.advance(2_000);
    }
    away = false;
    while ((await scene.rows('mail'))[0]!.state !== 'delivered') {
      await new Promise((resolve) => setImmediate(resolve));
      clock.advance(2_000);
    }
  });

  it('takes up, when it starts, what an earlier run left', async () => {
    begin(async () => {
      throw refusal('unavailable', 'away');
    });
    await scene.publish({ customer: 'a', n: 1 }, { customer: 'b', n: 2 });
    await settled('failed', 2);
    await scene.relay.stop();
    clock.advance(10_000);
    const publisher = scene.publisher;
    const taken: unknown[] = [];
    scene.begin({
      recipients,
      deliver: async (_: string, { data }: { data: { n: number } }) => void taken.push(data.n),
    } as never);
    expect(scene.publisher).toBe(publisher);
    await scene.relay.start();
    await settled('delivered', 2);
    expect(taken).toEqual([1, 2]);
  });

  it('removes what was delivered after an hour, and nothing that was not', async () => {
    begin(async (n) => {
      if (n === 2) throw refusal('unavailable', 'away');
    });
    await scene.publish({ customer: 'a', n: 1 }, { customer: 'b', n: 2 });
    await settled('delivered', 1);
    await settled('failed', 1);
    const later = clock.now() + 61 * 60_000;
    await scene.publisher.work((unit) => removeExpired(unit, later, 100));
    expect((await scene.rows('mail')).map(({ state }) => state)).toEqual(['failed']);
  });

  it('refuses an event that does not fit its schema, or is too large, where it is published', async () => {
    begin(async () => {});
    await expect(scene.publish({ customer: 'a', n: 1.5 })).rejects.toThrow(/int/);
    await expect(scene.publish({ customer: 'x'.repeat(300_000), n: 1 })).rejects.toThrow(
      /over the 262144 an event may have/,
    );
    expect(await scene.rows('mail')).toEqual([]);
  });
});
