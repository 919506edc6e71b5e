import { beforeEach, describe, expect, it } from 'vitest';
import { type CallRequest, type RoadStep, unreachableBecause } from '../../kernel/calls/index.ts';
import { Cancellation } from '../../kernel/context/index.ts';
import { refusal } from '../../kernel/errors/index.ts';
import { CountingClock, macrotask, Notes } from '../../kernel/ports/discovery.cases.ts';
import {
  a,
  answers,
  arrived,
  authorize,
  b,
  beginAnew,
  call,
  clock,
  closed,
  cut,
  done,
  down,
  find,
  hangs,
  isOpen,
  listed,
  open,
  outcome,
  outcomes,
  overloaded,
  reachable,
  setChance,
  told,
  unsent,
  upstream,
  use,
  went,
} from './upstream.scene.ts';
import { Upstream } from './upstream.ts';

beforeEach(beginAnew);

describe('an upstream without instances', () => {
  it('refuses immediately, and keeps its retry budget', async () => {
    open();
    setChance(0.999);
    listed.set([]);
    expect(await outcomes(200)).toEqual(Array(200).fill('unavailable'));
    expect(clock.waiting.size).toBe(0);
    setChance(0);
    answers[a] = overloaded;
    listed.set([a]);
    await outcomes(30);
    expect(went().length).toBe(30 + 10 + 3);
  });

  it('returns the error of the first attempt when no instance is left for a retry', async () => {
    open();
    const cause = new Error('reset');
    answers[a] = () => {
      listed.set([]);
      return Promise.reject(unreachableBecause('payments', cause, true));
    };
    await expect(call()).rejects.toMatchObject({ code: 'unavailable', cause });
  });

  it('reports when an instance is available', () => {
    open();
    expect(reachable).toBe(1);
    listed.set([]);
    listed.set([b]);
    expect(reachable).toBe(2);
  });
});

describe('the calls of one caller', () => {
  it('are limited per module, do not block other callers, and are not retried when refused', async () => {
    open({ payments: { concurrency: 2, queue: 1 } });
    answers[a] = hangs;
    for (let times = 0; times < 3; times++) void outcome(call());
    expect(await outcome(call())).toBe('overloaded');
    await macrotask();
    expect(went()).toEqual([a, a]);
    answers[a] = done;
    expect(await outcome(call(find, { caller: 'gateway' }))).toBe('done');
  });

  it('leave the queue at their deadline or when they are cancelled', async () => {
    open({ payments: { concurrency: 1 } });
    answers[a] = hangs;
    void outcome(call());
    const cancellation = new Cancellation();
    const waiting = [outcome(call(find, { cancellation })), outcome(call(find, { deadline: clock.now() + 50 }))];
    cancellation.cancel();
    clock.advance(50);
    expect([await Promise.all(waiting), went()]).toEqual([['cancelled', 'timeout'], [a]]);
  });
});

describe('an upstream', () => {
  it('answers a ping when one of its instances does', async () => {
    open({}, a, b);
    down.add(a);
    expect([await upstream.answers(), arrived]).toEqual([true, []]);
    down.add(b);
    expect(await upstream.answers()).toBe(false);
    listed.set([]);
    expect(await upstream.answers()).toBe(false);
  });

  it('closes its connections, also under a call that would be retried', async () => {
    open({}, a, b);
    answers[a] = async (request) => {
      await upstream.close();
      return cut(request);
    };
    expect([await outcome(call()), closed.sort(), went()]).toEqual(['unavailable', [a, b], [a]]);
    expect(await outcome(call())).toBe('unavailable');
  });

  it('puts the faults that are on in the way of calls, and of no ping', async () => {
    const link = { call: async () => 'done', close: async () => {} };
    const fault: RoadStep = (request, next) =>
      request.context.caller === 'orders' && request.operation === find
        ? Promise.reject(refusal('forbidden'))
        : next(request);
    const hooks = { faults: [fault] };
    const parts = { policies: {}, clock, log: new Notes().log, random: () => 0, hooks, connect: () => link };
    listed.set([a]);
    use(new Upstream('payments', listed, parts, () => {}));
    const deadline = Date.now() + 60_000;
    expect(await outcome(call(find, { deadline }))).toBe('forbidden');
    expect([await outcome(call(find, { deadline, caller: 'gateway' })), await upstream.answers()]).toEqual([
      'done',
      true,
    ]);
  });
});

describe('a clock that steps back by hours', () => {
  it('does not prolong an ejection, since durations use the steady clock', async () => {
    const steady = new CountingClock();
    listed.set([a]);
    const link = { call: (request: CallRequest) => (answers[a] ?? done)(request), close: async () => {} };
    const parts = {
      policies: {},
      clock,
      steady,
      log: new Notes().log,
      random: () => 0,
    };
    use(new Upstream('payments', listed, { ...parts, connect: () => link }, () => {}));
    answers[a] = unsent;
    await outcomes(5, authorize);
    expect(isOpen()).toBe(true);
    answers[a] = done;
    clock.advance(-3 * 60 * 60_000);
    steady.advance(1_000);
    await macrotask();
    expect([isOpen(), await outcome(call())]).toEqual([false, 'done']);
  });
});

it('sends a call only after the data that its caller has seen is on disk', async () => {
  open();
  const disk = Promise.withResolvers<void>();
  const answer = outcome(call(find, { onDisk: () => disk.promise }));
  await macrotask();
  expect(went()).toEqual([]);
  disk.resolve();
  expect([await answer, went()]).toEqual(['done', [a]]);
});

describe('what metrics are told', () => {
  it('each call of a caller of this process once, each choice, each further attempt, and each ejection', async () => {
    open({}, a);
    answers[a] = unsent;
    const toCaller = (error: unknown) => error;
    const context = { requestId: 'r', caller: 'orders', deadline: clock.now() + 5_000 };
    const answer = outcome(upstream.call({ operation: find!, input: {}, context, toCaller }));
    for (let times = 0; times < 3; times++) {
      await macrotask();
      clock.advance(1_000);
    }
    await answer;
    await outcomes(2);
    const counted = Map.groupBy(told as [string][], ([what]) => what);
    expect(counted.get('sent')).toEqual([['sent', 'find', a]]);
    expect(counted.get('retried')?.[0]).toEqual(['retried', 'orders', 'find']);
    expect(counted.get('picked')).toHaveLength(arrived.length);
    expect(counted.get('ejected')).toEqual([['ejected', 'payments']]);
  });
});
