import { beforeEach, describe, expect, it } from 'vitest';
import { refusal } from '../../kernel/errors/index.ts';
import { macrotask } from '../../kernel/ports/discovery.cases.ts';
import type { PoliciesConfig } from './resilience/policies.ts';
import {
  type Answer,
  a,
  answers,
  b,
  beginAnew,
  call,
  clock,
  cut,
  done,
  down,
  isOpen,
  open,
  outcome,
  outcomes,
  pings,
  reachable,
  refuse,
  timedOut,
  unsent,
  upstream,
  went,
} from './upstream.scene.ts';

beforeEach(beginAnew);

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
