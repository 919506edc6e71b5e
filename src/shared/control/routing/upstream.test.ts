import assert from 'node:assert';
import { beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { CallRequest, RoadHooks, RoadStep } from '../../kernel/calls/index.ts';
import { timedOut as late, ofKernel, unreachableBecause } from '../../kernel/calls/index.ts';
import { type CallContext, Cancellation } from '../../kernel/context/index.ts';
import { command, contract, nothing, type Operation, query } from '../../kernel/contract/index.ts';
import { isRefusal, refusal } from '../../kernel/errors/index.ts';
import { CountingClock, macrotask, Notes } from '../../kernel/ports/discovery.cases.ts';
import { LiveAddresses } from './live-addresses.ts';
import type { PoliciesConfig } from './resilience/policies.ts';
import { Upstream } from './upstream.ts';

const payments = contract('payments', {
  operations: {
    find: query({ summary: 'Sample', input: z.object({}), output: z.object({}) }),
    list: query({ summary: 'Sample', input: z.object({}), output: z.object({}) }),
    authorize: command({ summary: 'Sample', input: nothing, output: nothing }),
  },
});
const { find, list, authorize } = payments.operations as unknown as Record<string, Operation>;
const [write, read] = [ofKernel('write', 'payments'), ofKernel('read', 'payments')];
const [a, b] = ['http://a:1', 'http://b:1'] as const;

type Answer = (request: CallRequest) => Promise<unknown>;

let clock: CountingClock;
let chance: number;
let listed: LiveAddresses;
/** The answer of each instance. The default is `done`. */
let answers: Record<string, Answer>;
/** The calls that reached the instances, in order. */
let arrived: { address: string; request: CallRequest }[];
let pings: string[];
/** The addresses that do not answer a ping. */
let down: Set<string>;
let closed: string[];
let reachable: number;
let upstream: Upstream;
/** What the listener and the counter are told. */
let told: unknown[];

const done: Answer = async () => 'done';
const refuse = (make: () => unknown): Answer => {
  return () => Promise.reject(make());
};
/** The errors of a transport that cannot reach an instance: a cut connection, and a call that was never sent. */
const cut = refuse(() => unreachableBecause('payments', new Error('reset'), true));
const unsent = refuse(() => unreachableBecause('payments', new Error('refused'), false));
const overloaded = refuse(() => refusal('overloaded'));
const hangs: Answer = () => new Promise(() => {});

beforeEach(() => {
  clock = new CountingClock();
  chance = 0;
  listed = new LiveAddresses();
  [answers, arrived, pings, down, closed, reachable, told] = [{}, [], [], new Set(), [], 0, []];
});

const hooks: RoadHooks = {
  listener: {
    retried: ({ caller, operation }) => told.push(['retried', caller, operation]),
    picked: (module) => told.push(['picked', module]),
    ejected: (module) => told.push(['ejected', module]),
    dispatched() {},
    committed() {},
    sagaEnded() {},
    handled() {},
  },
  counter: {
    served: () => assert.fail('it serves nothing'),
    sent: ({ operation }, address) => told.push(['sent', operation.name, address]),
  },
};

function open(policies: PoliciesConfig = {}, ...addresses: string[]): Upstream {
  listed.set(addresses.length > 0 ? addresses : [a]);
  const parts = {
    ...{ policies, clock, log: new Notes().log, random: () => chance, hooks },
    connect: (_: string, address: string) => ({
      async call(request: CallRequest) {
        if (request.operation.name === 'kerf.ping') {
          pings.push(address);
          if (down.has(address)) throw refusal('timeout');
          return {};
        }
        arrived.push({ address, request });
        return (answers[address] ?? done)(request);
      },
      close: async () => void closed.push(address),
    }),
  };
  upstream = new Upstream('payments', listed, parts, () => (reachable += 1));
  return upstream;
}

function call(operation: Operation = find!, context: Partial<CallContext> = {}): Promise<unknown> {
  const usual = { requestId: 'r', caller: 'orders', deadline: clock.now() + 5_000 };
  return upstream.call({ operation, input: {}, context: { ...usual, ...context } });
}

/** The answer, or the code of the refusal. */
const outcome = (answer: Promise<unknown>) =>
  answer.catch((error: unknown) => (isRefusal(error) ? error.code : String(error)));
const outcomes = (times: number, operation?: Operation, context?: Partial<CallContext>) =>
  Promise.all(Array.from({ length: times }, () => outcome(call(operation, context))));
const went = () => arrived.splice(0).map(({ address }) => address);
const keys = () => arrived.splice(0).map(({ request }) => request.context.idempotencyKey);
const isOpen = (address: string = a) =>
  upstream.instances.find((each) => each.address === address)?.breaker.state.kind === 'open';

/** The error of this process when no answer came in time. */
const timedOut = refuse(() => late({ module: 'payments', name: 'find' }));

describe('a hanging instance', () => {
  it('is ejected after the first timeout when it answers no ping either', async () => {
    open({}, a, b);
    answers[a] = timedOut;
    down.add(a);
    expect(await outcome(call())).toBe('timeout');
    await macrotask();
    expect([pings, isOpen(a), isOpen(b)]).toEqual([[a], true, false]);
    went();
    expect([await outcomes(4), went()]).toEqual([
      ['done', 'done', 'done', 'done'],
      [b, b, b, b],
    ]);
  });

  it('is called again when it answers a ping: it is only slow', async () => {
    open({}, a);
    answers[a] = timedOut;
    expect(await outcomes(3)).toEqual(['timeout', 'timeout', 'timeout']);
    await macrotask();
    expect([pings.length, isOpen(a)]).toEqual([1, false]);
  });
});

describe('a retry', () => {
  it('repeats a query that may have arrived, at another instance', async () => {
    open({}, a, b);
    answers[a] = cut;
    expect([await outcome(call()), went()]).toEqual(['done', [a, b]]);
  });

  it("repeats a command with the caller's key, or with one generated key for all attempts", async () => {
    open({}, a, b);
    answers = { [a]: cut, [b]: overloaded };
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
    chance = 0.999;
    open({}, a, b);
    answers = { [a]: unsent, [b]: unsent };
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
    chance = 0.999;
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
    chance = 0.999;
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

    chance = 0.999;
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
    chance = 0.5;
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

describe('an upstream without instances', () => {
  it('refuses immediately, and keeps its retry budget', async () => {
    open();
    chance = 0.999;
    listed.set([]);
    expect(await outcomes(200)).toEqual(Array(200).fill('unavailable'));
    expect(clock.waiting.size).toBe(0);
    [chance, answers[a]] = [0, overloaded];
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

describe('a failing instance', () => {
  const once: PoliciesConfig = { payments: { attempts: 1 } };

  it('is ejected after five unreachable calls, and comes back only after pings', async () => {
    open(once);
    answers[a] = unsent;
    down.add(a);
    for (let times = 0; times < 5; times++) await outcome(call());
    expect([went().length, isOpen()]).toEqual([5, true]);
    expect([await outcomes(50), went(), reachable]).toEqual([Array(50).fill('unavailable'), [], 1]);
    clock.advance(1_000);
    await macrotask();
    expect([pings.splice(0), await outcome(call()), went()]).toEqual([[a], 'unavailable', []]);
    answers[a] = done;
    down.clear();
    clock.advance(2_000);
    await macrotask();
    expect([pings, reachable, await outcome(call()), went()]).toEqual([[a, a], 2, 'done', [a]]);
  });

  it('is ejected when half of its calls time out', async () => {
    open(once);
    await outcomes(10);
    answers[a] = timedOut;
    await outcomes(9);
    expect(isOpen()).toBe(false);
    await outcomes(1);
    expect(isOpen()).toBe(true);
  });

  it('is replaced by the other instances', async () => {
    open({}, a, b);
    answers[a] = cut;
    for (let times = 0; times < 20; times++) expect(await outcome(call())).toBe('done');
    expect(went().filter((address) => address === a).length).toBe(5);
  });

  it.each([
    ['a refusal', () => refusal('not-found')],
    ['too much to do', () => refusal('overloaded')],
    ['a failure inside it', () => refusal('internal')],
    ['that a part which it needs is away', () => refusal('unavailable', 'the payment provider cannot be reached')],
    ['why a part which it needs is away', () => refusal('unavailable', undefined, {}, { cause: new Error('reset') })],
    ['that a part which it needs is late', () => refusal('timeout')],
    ['what is none', () => new Error('the output is not as the contract says')],
  ])('is not one that answers %s, as that would be so in-process', async (_, make) => {
    open(once);
    answers[a] = refuse(make);
    await outcomes(100);
    expect([isOpen(), went().length]).toEqual([false, 100]);
  });

  it('is not judged by cancelled calls', async () => {
    open(once);
    const cancelled = refuse(() => refusal('cancelled'));
    for (const answer of [unsent, unsent, cancelled, unsent, unsent, cancelled]) {
      answers[a] = answer;
      await outcome(call());
    }
    expect(isOpen()).toBe(false);
    answers[a] = unsent;
    await outcome(call());
    expect(isOpen()).toBe(true);
  });
});

describe('the calls in flight at an instance', () => {
  it.each<[string, Answer]>([
    ['an answer', done],
    ['a refusal', refuse(() => refusal('not-found'))],
    ['a failure', cut],
    ['a timeout', timedOut],
    ['a cancellation', refuse(() => refusal('cancelled'))],
    [
      'a throw',
      () => {
        throw new Error('broken');
      },
    ],
  ])('are counted until they end with %s', async (_, answer) => {
    open({ payments: { attempts: 1 } });
    const [one] = upstream.instances;
    let counted = 0;
    answers[a] = (request) => {
      counted = one!.inFlight;
      return answer(request);
    };
    await outcomes(3);
    expect([counted, one!.inFlight]).toEqual([3, 0]);
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
    upstream = new Upstream('payments', listed, parts, () => {});
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
    upstream = new Upstream('payments', listed, { ...parts, connect: () => link }, () => {});
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
