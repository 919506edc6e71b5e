import { beforeEach, describe, expect, it } from 'vitest';
import { type Cancel, ManualClock } from '../context/index.ts';
import type { SagaState } from './tables.ts';
import { Waiters } from './waiters.ts';

const longMs = 60_000;

/** Counts the pending timers, except the timers that end a wait. */
class WatchedClock extends ManualClock {
  looks = 0;

  override after(delayMs: number, task: () => void): Cancel {
    if (delayMs === longMs) return super.after(delayMs, task);
    this.looks += 1;
    let over = () => {
      this.looks -= 1;
      over = () => {};
    };
    const cancel = super.after(delayMs, () => {
      over();
      task();
    });
    return () => {
      over();
      cancel();
    };
  }
}

describe('a waiter for a saga', () => {
  let clock: WatchedClock;
  let states: Map<string, SagaState>;
  let here: Set<string>;
  let asked: string[];
  let waiters: Waiters;
  /** The database answers after this promise resolves. */
  let answers: Promise<void>;

  beforeEach(() => {
    clock = new WatchedClock();
    states = new Map();
    here = new Set();
    asked = [];
    answers = Promise.resolve();
    waiters = new Waiters({
      clock,
      async find(ids) {
        asked.push(ids.join());
        const found = ids.flatMap((id) => ({ id, state: states.get(id)! }));
        await answers;
        return found;
      },
      runsHere: (id) => here.has(id),
    });
  });

  function wait(id: string): Promise<SagaState | undefined> {
    states.set(id, 'running');
    return waiters.settled(id, longMs);
  }

  it('is notified within 50 ms when a saga ends in another process, by one query for all waiters', async () => {
    const both = [wait('d1'), wait('d2')];
    await turns();
    asked = [];
    clock.advance(49);
    expect(asked).toEqual([]);
    states.set('d1', 'done');
    clock.advance(1);
    expect(await both[0]).toBe('done');
    states.set('d2', 'compensated');
    clock.advance(50);
    expect(await both[1]).toBe('compensated');
    expect(asked).toEqual(['d1,d2', 'd2']);
    await turns();
    expect(clock.looks).toBe(0);
  });

  it('is notified without a query when a saga ends in this process', async () => {
    here.add('d1');
    const waiting = wait('d1');
    await turns();
    asked = [];
    clock.advance(50);
    await turns();
    expect(asked).toEqual([]);
    waiters.tell({ id: 'd1', state: 'done' });
    expect(await waiting).toBe('done');
    expect(clock.looks).toBe(0);
  });

  it('queries a saga that no longer runs in this process', async () => {
    here.add('d1');
    const waiting = wait('d1');
    await turns();
    clock.advance(500);
    await turns();
    here.clear();
    states.set('d1', 'done');
    clock.advance(50);
    expect(await waiting).toBe('done');
  });

  it('times out, and the queries end', async () => {
    const waiting = wait('d1');
    await turns();
    clock.advance(longMs);
    expect(await waiting).toBeUndefined();
    await turns();
    expect(clock.looks).toBe(0);
  });

  it('never queries twice at a time, also when waiters come and go', async () => {
    const first = wait('d1');
    await turns();
    const { promise, resolve: answer } = Promise.withResolvers<void>();
    answers = promise;
    clock.advance(50);
    waiters.tell({ id: 'd1', state: 'done' });
    expect(await first).toBe('done');
    answers = Promise.resolve();
    const second = wait('d2');
    await turns();
    expect(clock.looks).toBe(0);
    answer();
    await turns();
    expect(clock.looks).toBe(1);
    waiters.tell({ id: 'd2', state: 'done' });
    expect(await second).toBe('done');
    expect(clock.looks).toBe(0);
  });

  it('is answered immediately during a drain, like all later waiters', async () => {
    const waiting = wait('d1');
    await turns();
    waiters.drain();
    expect([await waiting, await wait('d2')]).toEqual([undefined, undefined]);
    expect(clock.looks).toBe(0);
  });
});

/** Lets all tasks that can continue do so. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
}
