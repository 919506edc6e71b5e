import { beforeEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../../../kernel/context/index.ts';
import { Breaker, type CallFailure } from './breaker.ts';

const policy = { failureShare: 0.5, minimumCalls: 20, windowMs: 10_000, openMs: 1_000 };
let clock: ManualClock;
let breaker: Breaker;
let log: string[];

beforeEach(() => {
  clock = new ManualClock();
  log = [];
  breaker = new Breaker(policy, clock, (state) => log.push(state.kind));
});

const succeed = (times: number) => {
  for (let each = 0; each < times; each++) breaker.succeeded(breaker.admits());
};
const fail = (times: number, how: CallFailure = 'faulty') => {
  for (let each = 0; each < times; each++) breaker.failed(breaker.admits(), how);
};

describe('a closed breaker', () => {
  it('opens immediately when it is tripped, and only once', () => {
    breaker.trip();
    breaker.trip();
    expect([breaker.admits(), breaker.retryAfterMs, log]).toEqual([0, 1_000, ['open']]);
  });

  it('opens when half of the minimum number of calls failed', () => {
    succeed(10);
    fail(9);
    expect(breaker.state.kind).toBe('closed');
    fail(1);
    expect([breaker.state.kind, breaker.admits(), log]).toEqual(['open', 0, ['open']]);
  });

  it('stays closed while too few calls were made, or fewer than half failed', () => {
    fail(19);
    succeed(30);
    fail(10);
    expect(breaker.state).toEqual({ kind: 'closed' });
  });

  it('forgets results older than its window, slice by slice and after a pause', () => {
    for (let second = 0; second < 60; second++) {
      fail(1);
      clock.advance(1_000);
    }
    fail(8);
    clock.advance(60_000);
    fail(19);
    expect(breaker.state.kind).toBe('closed');
    fail(1);
    expect(breaker.state.kind).toBe('open');
  });

  it('opens after five consecutive calls without a connection', () => {
    fail(4, 'unreachable');
    fail(1, 'faulty');
    fail(4, 'unreachable');
    succeed(1);
    fail(4, 'unreachable');
    expect(breaker.state.kind).toBe('closed');
    fail(1, 'unreachable');
    expect(breaker.state).toEqual({ kind: 'open', since: clock.now(), forMs: 1_000 });
  });
});

describe('an open breaker', () => {
  beforeEach(() => fail(5, 'unreachable'));

  it('returns how long it rejects all calls', () => {
    expect([breaker.wouldAdmit, breaker.retryAfterMs]).toEqual([false, 1_000]);
    clock.advance(400);
    expect([breaker.wouldAdmit, breaker.retryAfterMs]).toEqual([false, 600]);
    clock.advance(600);
    expect([breaker.wouldAdmit, breaker.retryAfterMs, breaker.state.kind]).toEqual([true, 0, 'open']);
  });

  it('closes after two successful probes, one at a time', () => {
    clock.advance(1_000);
    const first = breaker.admits();
    expect([first > 0, breaker.admits(), breaker.wouldAdmit, breaker.state.kind]).toEqual([
      true,
      0,
      false,
      'half-open',
    ]);
    breaker.succeeded(first);
    const second = breaker.admits();
    expect([second > 0, breaker.admits()]).toEqual([true, 0]);
    breaker.succeeded(second);
    expect([breaker.state, log]).toEqual([{ kind: 'closed' }, ['open', 'half-open', 'closed']]);
  });

  it('doubles its open time when a probe fails, up to 2 s, and resets it when it closes', () => {
    const waits: number[] = [];
    for (let probe = 0; probe < 7; probe++) {
      clock.advance(breaker.retryAfterMs);
      fail(1);
      waits.push(breaker.retryAfterMs);
    }
    clock.advance(30_000);
    succeed(2);
    fail(5, 'unreachable');
    expect([waits, breaker.retryAfterMs]).toEqual([Array(7).fill(2_000), 1_000]);
  });

  it('starts with an empty window when it closes', () => {
    clock.advance(1_000);
    succeed(2);
    fail(4, 'unreachable');
    fail(15, 'faulty');
    expect(breaker.state.kind).toBe('closed');
  });

  it('admits another probe when one is released, or has no result for 30 s', () => {
    clock.advance(1_000);
    breaker.released(breaker.admits());
    const lost = breaker.admits();
    clock.advance(29_999);
    expect(breaker.wouldAdmit).toBe(false);
    clock.advance(1);
    const next = breaker.admits();
    breaker.failed(lost, 'faulty');
    expect([next > 0, breaker.state.kind]).toEqual([true, 'half-open']);
  });

  it('does not stay open longer when the clock steps back', () => {
    clock.advance(-3_600_000);
    expect([breaker.wouldAdmit, breaker.retryAfterMs]).toEqual([true, 0]);
  });
});

it('ignores results of calls from before the last change of state', () => {
  const passes = Array.from({ length: 30 }, () => breaker.admits());
  fail(5, 'unreachable');
  for (const pass of passes.slice(0, 10)) breaker.failed(pass, 'faulty');
  expect(breaker.retryAfterMs).toBe(1_000);
  clock.advance(1_000);
  const probe = breaker.admits();
  for (const pass of passes.slice(10, 20)) breaker.succeeded(pass);
  for (const pass of passes.slice(20, 25)) breaker.failed(pass, 'faulty');
  for (const pass of passes.slice(25)) breaker.released(pass);
  expect([breaker.state.kind, breaker.admits()]).toEqual(['half-open', 0]);
  breaker.succeeded(probe);
  breaker.succeeded(probe);
  expect(breaker.state).toEqual({ kind: 'half-open', successes: 1 });
});
