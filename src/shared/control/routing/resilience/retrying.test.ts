import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { unreachableBecause } from '../../../kernel/calls/index.ts';
import { ManualClock } from '../../../kernel/context/index.ts';
import { kernelCodes, refusal } from '../../../kernel/errors/index.ts';
import { backOffMs, mayRetry, RetryBudget } from './retrying.ts';

/** Returns how many of `wanted` retries the budget allows. */
const retry = (budget: RetryBudget, wanted: number) =>
  Array.from({ length: wanted }, () => budget.admitsRetry()).filter(Boolean).length;

describe('a retry budget', () => {
  it('allows a new caller ten retries, and then one per second', () => {
    const clock = new ManualClock();
    const budget = new RetryBudget(clock);
    expect(retry(budget, 20)).toBe(10);
    clock.advance(999);
    expect(retry(budget, 1)).toBe(0);
    clock.advance(1);
    expect(retry(budget, 2)).toBe(1);
  });

  it('adds one retry for ten calls, and saves at most a hundred', () => {
    const clock = new ManualClock();
    const budget = new RetryBudget(clock);
    retry(budget, 10);
    for (let call = 0; call < 500; call++) budget.called();
    expect(retry(budget, 100)).toBe(50);
    for (let call = 0; call < 5_000; call++) budget.called();
    clock.advance(3_600_000);
    expect(retry(budget, 200)).toBe(100);
  });

  it('never allows more retries than a tenth of the calls, one per second and the first ten', () => {
    const step = fc.oneof(
      fc.record({ calls: fc.nat(300) }),
      fc.record({ retries: fc.nat(60) }),
      fc.record({ passMs: fc.integer({ min: -2_000, max: 5_000 }) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const clock = new ManualClock();
        const budget = new RetryBudget(clock);
        let [calls, passedMs, retries] = [0, 0, 0];
        for (const each of steps) {
          if ('calls' in each) for (let call = 0; call < each.calls; call++) budget.called();
          if ('calls' in each) calls += each.calls;
          if ('passMs' in each) clock.advance(each.passMs);
          if ('passMs' in each) passedMs += Math.max(0, each.passMs);
          if ('retries' in each) retries += retry(budget, each.retries);
          expect(retries).toBeLessThanOrEqual(10 + calls / 10 + passedMs / 1_000);
        }
      }),
    );
  });
});

describe('the back-off', () => {
  it('is random between zero and a bound that doubles up to a maximum', () => {
    const bounds = [1, 2, 3, 6, 7, 2_000].map((attempt) => backOffMs(attempt, () => 1 - Number.EPSILON));
    expect(bounds).toEqual([19, 39, 79, 639, 999, 999]);
    expect(backOffMs(5, () => 0)).toBe(0);
    expect(backOffMs(3, () => 0.5)).toBe(40);
  });
});

describe('a retry', () => {
  const unavailable = () => refusal('unavailable', 'payments cannot be reached');
  const notSent = () => unreachableBecause('payments', new Error('connect ECONNREFUSED'), false);

  it('is allowed for every call that was not begun', () => {
    const refused = refusal('overloaded');
    expect([mayRetry('query', false, refused), mayRetry('command', false, refused)]).toEqual([true, true]);
  });

  it('is allowed after an unavailable callee when the call is repeatable or was not sent', () => {
    expect(mayRetry('query', false, unavailable())).toBe(true);
    expect(mayRetry('command', true, unavailable())).toBe(true);
    expect(mayRetry('command', false, unavailable())).toBe(false);
    const cause = notSent();
    const wrapped = refusal('unavailable', 'x', {}, { cause: new Error('no way', { cause }) });
    expect(mayRetry('command', false, wrapped)).toBe(true);
  });

  it('is not allowed after any other error', () => {
    const others = Object.keys(kernelCodes).filter((code) => code !== 'unavailable' && code !== 'overloaded');
    const errors = [
      ...others.map((code) => refusal(code as 'timeout')),
      new Error('broken', { cause: notSent() }),
      undefined,
      'x',
    ];
    expect(errors.filter((error) => mayRetry('query', true, error))).toEqual([]);
  });
});
