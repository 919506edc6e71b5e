import { beforeEach, describe, expect, it } from 'vitest';
import { Cancellation } from '../../kernel/context/index.ts';
import { refusal } from '../../kernel/errors/index.ts';
import { macrotask } from '../../kernel/ports/discovery.cases.ts';
import {
  a,
  answers,
  authorize,
  b,
  beginAnew,
  call,
  clock,
  cut,
  find,
  hangs,
  keys,
  list,
  open,
  outcome,
  outcomes,
  overloaded,
  read,
  refuse,
  setChance,
  unsent,
  upstream,
  went,
  write,
} from './upstream.scene.ts';

beforeEach(beginAnew);

describe('a retry', () => {
  it('repeats a query that may have arrived, at another instance', async () => {
    open({}, a, b);
    answers[a] = cut;
    expect([await outcome(call()), went()]).toEqual(['done', [a, b]]);
  });

  it("repeats a command with the caller's key, or with one generated key for all attempts", async () => {
    open({}, a, b);
    Object.assign(answers, { [a]: cut, [b]: overloaded });
    await outcome(call(authorize, { idempotencyKey: 'its own' }));
    expect(keys()).toEqual(['its own', 'its own', 'its own']);
    await outcome(call(authorize));
    const [key, ...others] = keys();
    expect([key, others]).toEqual([expect.stringMatching(/^[\da-f-]{36}$/), [key, key]]);
    await outcome(call(authorize));
    expect(keys()).not.toContain(key);
  });

  it('adds no key to a query', async () => {
    open();
    await call();
    expect(keys()).toEqual([undefined]);
  });

  it('does not repeat a kernel command that may have arrived, since it has no key', async () => {
    open({}, a, b);
    answers[a] = cut;
    expect(await outcome(call(write))).toBe('unavailable');
    expect(keys()).toEqual([undefined]);
    expect([await outcome(call(read)), went()]).toEqual(['done', [a, b]]);
  });

  it.each([
    ['was never sent', unsent],
    ['was overloaded', overloaded],
  ])('repeats also a kernel command that %s', async (_, answer) => {
    open({}, a, b);
    answers[a] = answer;
    expect([await outcome(call(write)), went()]).toEqual(['done', [a, b]]);
  });

  it('does not happen after any other answer', async () => {
    open({}, a, b);
    for (const code of [
      'internal',
      'timeout',
      'not-found',
      'invalid-input',
      'too-many-requests',
      'cancelled',
    ] as const) {
      answers[a] = refuse(() => refusal(code));
      expect([await outcome(call()), went()]).toEqual([code, [a]]);
    }
    answers[a] = refuse(() => new Error('broken'));
    expect([await outcome(call()), went()]).toEqual(['Error: broken', [a]]);
  });

  it('happens as often as the policies of the operation or its module allow', async () => {
    open({ payments: { attempts: 2, operations: { list: { attempts: 1 } } } });
    answers[a] = overloaded;
    expect([await outcome(call()), went().length]).toEqual(['overloaded', 2]);
    expect([await outcome(call(list)), went().length]).toEqual(['overloaded', 1]);
    open();
    expect([await outcome(call()), went().length]).toEqual(['overloaded', 3]);
  });

  it('waits longer after each failure of an instance, and not at all before another instance', async () => {
    setChance(0.999);
    open({}, a, b);
    Object.assign(answers, { [a]: unsent, [b]: unsent });
    const answer = outcome(call());
    await macrotask();
    expect(went().sort()).toEqual([a, b]);
    clock.advance(38);
    await macrotask();
    expect(went()).toEqual([]);
    clock.advance(1);
    expect([await answer, went().length]).toEqual(['unavailable', 1]);
  });

  it('waits when all other instances are ejected', async () => {
    open({}, a, b);
    answers[b] = cut;
    setChance(0.999);
    for (const { breaker, address } of upstream.instances) {
      for (let times = 0; address === b && times < 5; times++) breaker.failed(breaker.admits(), 'unreachable');
    }
    answers[a] = unsent;
    void outcome(call());
    await macrotask();
    expect(went()).toEqual([a]);
    clock.advance(19);
    await macrotask();
    expect(went()).toEqual([a]);
  });

  it('does not happen when the back-off would exceed the deadline', async () => {
    open();
    answers[a] = overloaded;
    setChance(0.999);
    expect(await outcome(call(find, { deadline: clock.now() + 19 }))).toBe('overloaded');
    expect([went(), clock.waiting.size]).toEqual([[a], 0]);
  });

  it('does not happen for a caller that cancels during the attempt or the back-off', async () => {
    open();
    const cancellation = new Cancellation();
    answers[a] = (request) => {
      cancellation.cancel();
      return overloaded(request);
    };
    expect([await outcome(call(find, { cancellation })), went()]).toEqual(['cancelled', [a]]);

    setChance(0.999);
    answers[a] = overloaded;
    const later = new Cancellation();
    const answer = outcome(call(find, { cancellation: later }));
    await macrotask();
    expect(clock.waiting.size).toBe(1);
    later.cancel();
    expect([await answer, went(), clock.waiting.size]).toEqual(['cancelled', [a], 0]);
  });

  it('listens for a cancellation only during the back-off', async () => {
    open();
    answers[a] = overloaded;
    setChance(0.5);
    let listeners = 0;
    class Watched extends Cancellation {
      override onCancel(listener: () => void) {
        listeners += 1;
        const listenNoMore = super.onCancel(listener);
        return () => {
          listeners -= 1;
          listenNoMore();
        };
      }
    }
    const answer = outcome(call(find, { cancellation: new Watched() }));
    for (let pause = 0; pause < 2; pause++) {
      await macrotask();
      expect(listeners).toBe(1);
      clock.advance(1_000);
    }
    expect([await answer, listeners]).toEqual(['overloaded', 0]);
  });

  it('adds at most a tenth to the load, one per second and the first ten', async () => {
    open({ payments: { attempts: 2, concurrency: 10_000 } });
    answers[a] = overloaded;
    await outcomes(500);
    expect(went().length).toBe(500 + 10 + 50);
    clock.advance(3_000);
    await outcomes(10);
    expect(went().length).toBe(10 + 1 + 3);
  });

  it('gets no budget from calls that were not sent', async () => {
    open({ payments: { attempts: 2, concurrency: 1, queue: 0 } });
    answers[a] = overloaded;
    for (let times = 0; times < 11; times++) await outcome(call());
    went();
    answers[a] = hangs;
    void outcome(call());
    await outcomes(500);
    answers[a] = overloaded;
    for (let times = 0; times < 5; times++) await outcome(call(find, { caller: 'gateway' }));
    expect(went().length).toBe(1 + 5);
  });
});
