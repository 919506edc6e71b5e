import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import Sqlite from 'better-sqlite3';
import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { ManualClock } from '../context/index.ts';
import { refusal } from '../errors/index.ts';
import { readBacklog } from './backlog.ts';
import { type EncodedEvent, encodeEvent } from './envelope.ts';
import { EventScene, shop } from './events.scene.ts';

const million = 1_000_000;
const mebibyte = 1024 * 1024;
const { sold } = shop.events;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Returns the memory in use, in MiB: the heap and the buffers. */
function inUse(): number {
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return (heapUsed + external) / mebibyte;
}

describe('a million events that wait', () => {
  let clock: ManualClock;
  let scene: EventScene;
  beforeAll(async () => {
    clock = new ManualClock();
    scene = new EventScene(clock);
    await fill(scene);
  });
  afterAll(() => scene.close());

  it('are counted up to 100,000, with the age of the oldest', async () => {
    const { outbox, ...rest } = await readBacklog(scene.publisher);
    expect(outbox).toMatchObject([{ recipient: 'mail', waiting: 100_000 }]);
    expect(rest).toEqual({ retryQueue: { waiting: 0, since: undefined }, deadLetters: { in: 0, out: 0 } });
  });

  it('cost nothing while the recipient is away, and a commit no more than one would', async () => {
    const batches: number[] = [];
    const before = inUse();
    const bus = {
      recipients: () => ['mail'],
      async deliver(_recipient: string, events: readonly EncodedEvent[]) {
        batches.push(events.length);
        throw refusal('unavailable', 'away');
      },
    };
    await scene.begin(bus as never);
    for (let tries = 0; tries < 20; tries++) {
      await expect.poll(() => batches.length).toBeGreaterThan(tries);
      clock.advance(2_000);
    }
    await scene.relay.stop();
    expect(batches.slice(1).filter((size) => size > 1)).toEqual([]);
    expect(inUse() - before).toBeLessThan(50);

    const nothingWaits = new EventScene(clock);
    await nothingWaits.begin(bus as never);
    await nothingWaits.relay.stop();
    // The first commit after the fill copies its log into the database.
    for (const each of [scene, nothingWaits]) await each.publish({ customer: 'a', n: 0 });
    const usual = await statementsOf(() => nothingWaits.publish({ customer: 'a', n: 1 }));
    expect(await statementsOf(() => scene.publish({ customer: 'a', n: 1 }))).toEqual(usual);
    await nothingWaits.close();
  });

  it('are delivered in batches, in order, from the first on, with as little in memory as a few', async () => {
    const take = await scene.receiver('mail');
    const sizes: number[] = [];
    const before = inUse();
    await scene.begin({
      recipients: () => ['mail'],
      async deliver(_recipient: string, events: readonly EncodedEvent[]) {
        sizes.push(events.length);
        await Promise.all(events.map(({ json }) => take(JSON.parse(json))));
      },
    } as never);
    await scene.until(() => scene.effects.mail.length >= 5_000);
    expect(inUse() - before).toBeLessThan(50);
    await scene.relay.stop();
    expect(Math.max(...sizes)).toBe(256);
    expect(scene.effects.mail.slice(0, 5_000).map(({ n }) => n)).toEqual(
      Array.from({ length: 5_000 }, (_, n) => n + 1),
    );
  });
});

it('names the time of the oldest event that is tried again, whatever its key', async () => {
  const scene = new EventScene(new ManualClock());
  const database = scene.database('mail');
  const hold = (state: string, key: string, receivedAt: number) =>
    database.work(async (unit) => {
      await unit.db.run(sql`
        INSERT INTO kerf_held (event_id, type, key, envelope, state, attempts, next_attempt_at, received_at, history)
        VALUES (${`event-${receivedAt}`}, 'shop.sold.v1', ${key}, '{}', ${state}, 1, 0, ${receivedAt}, '[]')`);
    });
  await hold('dead', 'a', 1_000);
  await hold('delivered', 'a', 2_000);
  expect((await readBacklog(database)).retryQueue).toEqual({ waiting: 0, since: undefined });
  await hold('failed', 'z', 3_000);
  await hold('pending', 'z', 4_000);
  await hold('failed', 'a', 5_000);
  expect((await readBacklog(database)).retryQueue).toEqual({ waiting: 3, since: 3_000 });
  await scene.close();
});

/** Returns the statements that `run` executes, on any connection. */
async function statementsOf(run: () => Promise<void>): Promise<string[]> {
  const prototype = Object.getPrototypeOf(new Sqlite(':memory:').prepare('SELECT 1')) as Sqlite.Statement;
  const spies = (['run', 'all', 'get'] as const).map((how) => vi.spyOn(prototype, how));
  try {
    await run();
    return spies.flatMap(({ mock }) => mock.contexts.map((statement) => (statement as Sqlite.Statement).source));
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}

/** Fills the outbox with a million events. Events that no test reads are short, to save disk space. */
async function fill(scene: EventScene): Promise<void> {
  const stamp = { id: 'event-424242', time: '2026-01-01T00:00:00.000Z' };
  const { type, json } = encodeEvent(sold, { customer: 'customer-424242', n: 424_242 }, stamp);
  const portion = 100_000;
  for (let after = 0; after < million; after += portion) {
    await scene.publisher.work(async (unit) => {
      await unit.db.run(sql`
        WITH RECURSIVE numbers (n) AS (SELECT ${after + 1} UNION ALL SELECT n + 1 FROM numbers WHERE n < ${after + portion})
        INSERT INTO kerf_outbox (event_id, type, recipient, key, envelope, state, attempts, next_attempt_at, created_at)
        SELECT 'event-' || n, ${type}, 'mail', 'customer-' || n,
          CASE WHEN n <= 20000 THEN replace(${json}, '424242', CAST(n AS INTEGER)) ELSE '{}' END, 'pending', 0, 0, 0
        FROM numbers`);
    });
  }
}
