import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ManualClock, refuseInsideUnit } from '../context/index.ts';
import type { Unit } from '../database/index.ts';
import { refusal } from '../errors/index.ts';
import type { Log } from '../telemetry/index.ts';
import type { Receive } from './bus.ts';
import { encodeEvent } from './envelope.ts';
import { EventScene, shop, type ToldEvent } from './events.scene.ts';
import { InHand } from './in-hand.ts';
import { eventTables } from './tables.ts';

const time = '2026-01-01T00:00:00.000Z';
const wire = (customer: string, n: number) =>
  JSON.parse(encodeEvent(shop.events.sold, { customer, n }, { id: `event-${n}`, time }).json);

let clock: ManualClock;
let scene: EventScene;
let receive: Receive;
let lines: { message: string; level: string; error?: unknown }[];

beforeEach(async () => {
  clock = new ManualClock();
  lines = [];
  const at = (level: string) => (fields: object, message: string) => void lines.push({ message, level, ...fields });
  scene = new EventScene(clock, {
    error: at('error'),
    warn: at('warn'),
    info: at('info'),
    debug() {},
  } as unknown as Log);
  receive = await scene.receiver('mail');
});
afterEach(() => scene.close());

const numbers = () => scene.effects.mail.map(({ n }) => n);
const retryQueue = () => scene.retryQueue('mail');

async function passUntil(done: () => boolean | Promise<boolean>, stepMs = 500) {
  while (!(await done())) {
    for (let turns = 0; turns < 20; turns++) await new Promise((resolve) => setImmediate(resolve));
    clock.advance(stepMs);
  }
}

/** Passes an event to the inbox, and lets time pass until the inbox has it on disk. */
async function takeIn(event: unknown) {
  let settled = false;
  const taking = receive(event).finally(() => {
    settled = true;
  });
  await passUntil(() => settled);
  await taking;
}

describe('a handler that hangs', () => {
  /** One promise per run of the handler for the customer "slow". The run waits for it. */
  let runs: PromiseWithResolvers<void>[];
  let hangs: boolean;
  beforeEach(() => {
    runs = [];
    hangs = true;
    scene.before = async (_, { customer }: ToldEvent) => {
      if (customer !== 'slow' || !hangs) return;
      const run = Promise.withResolvers<void>();
      runs.push(run);
      await run.promise;
    };
  });

  it('is cut off, which counts as an attempt of its event: its key waits, other keys go on', async () => {
    const [slow, behind, other] = [wire('slow', 1), wire('slow', 2), wire('quick', 3)].map(takeIn);
    await Promise.all([slow, behind, other]);
    expect(numbers()).toEqual([3]);
    expect(await retryQueue()).toMatchObject([
      { state: 'failed', attempts: 1, lastError: expect.stringMatching(/^mail did not take shop.sold.v1 within 4 s/) },
      { state: 'pending', attempts: 0 },
    ]);
    hangs = false;
    await passUntil(() => numbers().length === 3);
    expect(numbers()).toEqual([3, 1, 2]);
  });

  it('is cut off again when its event is tried again, until that is a dead letter', async () => {
    await takeIn(wire('slow', 1));
    await passUntil(async () => (await retryQueue())[0]!.attempts === 2);
    await takeIn(wire('quick', 2));
    expect(numbers()).toEqual([2]);
    await passUntil(async () => (await retryQueue())[0]!.state === 'dead', 5_000);
    expect((await retryQueue())[0]).toMatchObject({ attempts: 12 });
    expect(runs).toHaveLength(12);
    await takeIn(wire('slow', 3));
    expect((await retryQueue()).map(({ state }) => state)).toEqual(['dead', 'failed']);
  });

  it('has no effect when it goes on after it was cut off, neither before nor after its event was taken', async () => {
    await takeIn(wire('slow', 1));
    runs[0]!.resolve();
    await passUntil(() => runs.length === 2);
    hangs = false;
    await passUntil(() => numbers().length === 1, 1_000);
    runs[1]!.resolve();
    await takeIn(wire('quick', 2));
    expect(numbers()).toEqual([1, 2]);
  });

  it('can neither write nor call after it was cut off', async () => {
    const late: string[] = [];
    const run = Promise.withResolvers<void>();
    const { retryQueue: table } = eventTables(scene.database('mail'));
    const handle = async (_: unknown, unit: Unit) => {
      await run.promise;
      const write = async () => void (await unit.db.delete(table));
      const call = async () => refuseInsideUnit({ module: 'shop', name: 'sell' });
      for (const attempt of [write, call]) await attempt().catch((error) => late.push(explained(error)));
    };
    receive = await scene.receiver('mail', [{ event: shop.events.counted, handle }]);
    await takeIn({ ...wire('a', 1), type: shop.events.counted.type });
    run.resolve();
    await expect.poll(() => late).toContainEqual(expect.stringMatching(/a write to "mail" outside its unit of work/));
    const refused = /shop.sell was called by a task whose unit of work of "mail" was rolled back/;
    await expect.poll(() => late).toContainEqual(expect.stringMatching(refused));
  });
});

/** Returns the message of an error and of its causes. */
function explained(error: Error): string {
  return error.cause instanceof Error ? `${error.message}: ${explained(error.cause)}` : error.message;
}

describe('an event whose handler ends its process', () => {
  /** Ends the process while its handler processes the event, and starts another process on the same data. */
  async function end(event: unknown) {
    scene.database('mail').crashNote!.write(JSON.stringify(event));
    receive = await scene.receiver('mail');
  }

  it('has been counted before it is handed over a second time', async () => {
    await end(wire('a', 1));
    expect(await retryQueue()).toMatchObject([
      { state: 'failed', attempts: 1, lastError: 'its process ended while its handler ran' },
    ]);
    await receive(wire('a', 1));
    await receive(wire('a', 2));
    expect(numbers()).toEqual([]);
    await passUntil(() => numbers().length === 2);
    expect(numbers()).toEqual([1, 2]);
    expect(scene.database('mail').crashNote!.isEmpty).toBe(true);
  });

  it('becomes a dead letter after twelve times, and what waits behind it goes on', async () => {
    for (let times = 1; times <= 12; times++) await end(wire('a', 1));
    expect(await retryQueue()).toMatchObject([{ state: 'dead', attempts: 12 }]);
    await receive(wire('a', 2));
    expect(numbers()).toEqual([2]);
  });

  it('is told from one that was taken, and from a note that was not written to its end', async () => {
    await receive(wire('a', 1));
    await end(wire('a', 1));
    await end({ no: 'event' });
    scene.database('mail').crashNote!.write('{"specversion":"1.0","id":');
    receive = await scene.receiver('mail');
    expect(await retryQueue()).toEqual([]);
    expect(numbers()).toEqual([1]);
  });

  it('is counted by a process that was there already, before it hands out the next event', async () => {
    await receive(wire('b', 1));
    scene.database('mail').crashNote!.write(JSON.stringify(wire('a', 2)));
    await receive(wire('b', 3));
    expect(numbers()).toEqual([1, 3]);
    expect(await retryQueue()).toMatchObject([{ state: 'failed', attempts: 1, key: 'a' }]);
  });

  it('leaves no note when it was taken, and none when it failed', async () => {
    scene.before = (_, { n }) => {
      expect(scene.database('mail').crashNote!.read()).toContain(`"event-${n}"`);
      if (n === 2) throw new Error('no use');
    };
    await receive(wire('a', 1));
    await receive(wire('b', 2));
    expect(scene.database('mail').crashNote!.isEmpty).toBe(true);
  });
});

it('notes the next event when the unit of the one before was cut off, whatever its handler does later', () => {
  const note = scene.database('mail').crashNote!;
  const inHand = new InHand(note);
  inHand.begin(wire('a', 1));
  inHand.begin(wire('b', 2));
  inHand.end(wire('a', 1));
  expect(note.read()).toContain('"event-2"');
  inHand.end(wire('b', 2));
  expect(note.isEmpty).toBe(true);
});

describe('a failure of a handler', () => {
  const failures = () => lines.filter(({ message }) => message === 'an event was not taken');

  it('is logged with its stack when it happens first, and counted after that', async () => {
    scene.before = (_, { n }) => {
      throw new Error(`cannot take ${n}`);
    };
    for (let n = 1; n <= 50; n++) await receive(wire(`c${n}`, n));
    expect(failures()).toEqual([
      expect.objectContaining({ level: 'error', module: 'mail', type: 'shop.sold.v1', id: 'event-1' }),
    ]);
    expect((failures()[0]!.error as Error).stack).toContain('inbox-attempts.test.ts');
    await passUntil(() => failures().length === 2, 5_000);
    expect(failures()[1]).toMatchObject({ suppressed: expect.any(Number) });
  });

  it('is logged as a warning while it waits for another part of the system', async () => {
    scene.before = () => {
      throw refusal('unavailable', 'who is that?');
    };
    await receive(wire('a', 1));
    expect(failures()).toMatchObject([{ level: 'warn' }]);
  });
});
