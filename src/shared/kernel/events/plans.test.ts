import Sqlite from 'better-sqlite3';
import { describe, expect, it, vi } from 'vitest';
import { ManualClock } from '../context/index.ts';
import { refusal } from '../errors/index.ts';
import { readBacklog } from './backlog.ts';
import type { Receive } from './bus.ts';
import { countOpen } from './counts.ts';
import type { DeadLetters } from './dead-letters.ts';
import { type EncodedEvent, encodeEvent } from './envelope.ts';
import { EventScene, shop } from './events.scene.ts';
import { readdress } from './readdress.ts';
import { removeExpired } from './retention.ts';
import { eventMigrations } from './tables.ts';

const { sold } = shop.events;

/** Returns every SQL text that `run` compiles for one of the growing tables. */
async function recorded(run: () => Promise<void>): Promise<string[]> {
  const prepare = vi.spyOn(Sqlite.prototype, 'prepare');
  try {
    await run();
    const texts = prepare.mock.calls.map(([text]) => text);
    return [...new Set(texts)].filter((text) => /kerf_(outbox|inbox|held)/.test(text));
  } finally {
    prepare.mockRestore();
  }
}

/** Runs every kind of statement on events: take, retry, refuse, kill, replay, discard, count, readdress, and remove. */
async function everything(scene: EventScene, clock: ManualClock): Promise<void> {
  const take = await scene.receiver('mail');
  let refused: unknown;
  const bus = {
    recipients: () => ['mail'],
    async deliver(_recipient: string, events: readonly EncodedEvent[]) {
      if (refused) throw refused;
      for (const { json } of events) await take(JSON.parse(json));
    },
  };
  await scene.begin(bus as never);
  await scene.publish({ customer: 'a', n: 1 });
  await scene.until(() => scene.effects.mail.length === 1);
  await holdBack(scene, clock, take);
  refused = refusal('invalid-input', 'no');
  await scene.publish({ customer: 'a', n: 5 });
  await expect.poll(() => scene.deadLetters('shop').list({}, 10)).toHaveLength(1);
  for (const letters of [scene.deadLetters('mail'), scene.deadLetters('shop')]) await decide(letters);
  refused = refusal('unavailable', 'away');
  await scene.publish({ customer: 'a', n: 6 });
  await scene.relay.stop();
  scene.relay.start(['mail']);
  await scene.relay.stop();
  await countOpen(scene.publisher);
  await readBacklog(scene.publisher);
  await readdress(scene.publisher, { recipients: () => ['amqp'] }, ['amqp'], ['amqp']);
  for (const database of [scene.publisher, scene.database('mail')]) {
    await database.work(async (unit) => void (await removeExpired(unit, clock.now(), 100)));
  }
}

async function holdBack(scene: EventScene, clock: ManualClock, take: Receive): Promise<void> {
  const bring = (id: string, customer: string) =>
    take(JSON.parse(encodeEvent(sold, { customer, n: 2 }, { id, time: '2026-01-01T00:00:00.000Z' }).json));
  let failure: unknown = new Error('not now');
  scene.before = () => {
    if (failure) throw failure;
  };
  await bring('first', 'a');
  await bring('behind it', 'a');
  failure = undefined;
  clock.advance(60_000);
  await scene.until(() => scene.effects.mail.length === 3);
  failure = refusal('invalid-input', 'no');
  await bring('replayed', 'b');
  await bring('discarded', 'c');
  await take('no JSON');
}

async function decide(letters: DeadLetters): Promise<void> {
  const [letter] = await letters.list({}, 10);
  await letters.read(letter!.id);
  await letters.replayAll({ type: sold.type, key: 'b', error: 'no' });
  await letters.discardAll({}, 'not needed');
}

const native = new Sqlite(':memory:');
for (const { sqlite } of eventMigrations) native.exec(sqlite);

function plan(text: string): string[] {
  const values = [...text.matchAll(/\?/g)].map(() => 1);
  const steps = native.prepare(`EXPLAIN QUERY PLAN ${text}`).all(...values) as { detail: string }[];
  return steps.map(({ detail }) => detail);
}

/** Returns whether the time of a step grows with the number of rows, without an early end. */
function grows(step: string, text: string): boolean {
  if (step.includes('TEMP B-TREE')) return true;
  // The single row of a `select` without a table.
  if (step === 'SCAN CONSTANT ROW') return false;
  // The rows of a subquery, whose own step is looked at too. It has a limit.
  if (step === 'SCAN some') return false;
  // The values in a statement's JSON parameter.
  if (step.startsWith('SCAN json_each VIRTUAL TABLE')) return false;
  return step.startsWith('SCAN') && !(step.includes('INDEX') && text.includes('limit'));
}

describe('what is asked of tables that may have grown large', () => {
  it('is found by an index, in the order in which it lies there', async () => {
    const clock = new ManualClock();
    const scene = new EventScene(clock);
    const texts = await recorded(() => everything(scene, clock));
    await scene.close();
    expect(texts.length).toBeGreaterThan(25);
    const slow = texts.filter((text) => plan(text).some((step) => grows(step, text)));
    expect(slow.filter((text) => !text.includes('count(*)'))).toEqual([]);
    for (const step of slow.flatMap(plan).filter((each) => each.startsWith('SCAN'))) {
      expect(step).toMatch(/USING (COVERING )?INDEX kerf_(outbox|held)_(open|dead)$/);
    }
  });

  it('would be seen if it had no index', () => {
    const sorted = 'select seq from kerf_held order by received_at limit 1';
    expect(plan(sorted).some((step) => grows(step, sorted))).toBe(true);
  });
});
