import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Due, deadlineIn, dueAt, notDue, passTime } from './deadline-timer.ts';

/** Blocks the event loop, like a handler that computes. */
function hold(ms: number): void {
  const end = Date.now() + ms;
  while (Date.now() < end);
}

describe('the deadline of a call', () => {
  it('is the current time plus the timeout', () => {
    for (const timeoutMs of [40, 5_000]) {
      const before = Date.now();
      const deadline = deadlineIn(timeoutMs)!;
      expect(deadline).toBeGreaterThanOrEqual(before + timeoutMs);
      expect(deadline).toBeLessThanOrEqual(Date.now() + timeoutMs);
    }
  });

  it('is not after the deadline of the parent call', () => {
    const latest = Date.now() + 2_000;
    expect(deadlineIn(5_000, latest)).toBe(latest);
    expect(deadlineIn(5_000, Date.now() + 50)).toBeLessThanOrEqual(Date.now() + 50);
  });

  it("is undefined after the parent's deadline, despite a cached clock", () => {
    const latest = Date.now() + 3;
    deadlineIn(5_000);
    hold(5);
    expect(deadlineIn(5_000, latest)).toBeUndefined();
    expect(deadlineIn(5_000, Date.now())).toBeUndefined();
  });
});

describe('a clock that steps back by hours', () => {
  const hours = 3 * 60 * 60_000;
  let late: string[];
  const due = (name: string): Due => ({
    ...{ earlier: undefined, later: undefined, slot: undefined },
    late: () => late.push(name),
  });
  const pass = (ms: number) => {
    vi.setSystemTime(Date.now() + ms);
    passTime();
  };
  beforeEach(() => {
    late = [];
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() });
    passTime();
  });
  afterEach(() => {
    pass(2 * hours);
    vi.useRealTimers();
  });

  it('does not delay deadlines by hours', () => {
    dueAt(due('before'), deadlineIn(5_000)!);
    pass(2_000);
    pass(-hours);
    dueAt(due('after'), deadlineIn(5_000)!);
    pass(2_900);
    expect(late).toEqual([]);
    pass(150);
    expect(late).toEqual(['before']);
    pass(2_000);
    expect(late).toEqual(['before', 'after']);
  });

  /** Sets the clock back and runs `meanwhile` before the next tick notices it. */
  const setBack = (meanwhile: () => void) => {
    vi.setSystemTime(Date.now() - hours);
    meanwhile();
    passTime();
  };

  it('keeps deadlines that were set before the next tick noticed the step', () => {
    const cancelled = due('cancelled');
    dueAt(due('before'), Date.now() + 5_000);
    dueAt(cancelled, Date.now() + 5_000);
    setBack(() => {
      dueAt(due('meanwhile'), Date.now() + 5_000);
      dueAt(due('meanwhile, too'), Date.now() + 5_000);
    });
    notDue(cancelled);
    dueAt(due('after'), Date.now() + 5_000);
    pass(4_900);
    expect(late).toEqual([]);
    pass(116);
    expect(late.toSorted()).toEqual(['after', 'before', 'meanwhile', 'meanwhile, too']);
  });

  it('expires earlier and later deadlines in the order of their times, also in one tick', () => {
    dueAt(due('third'), Date.now() + 3_000);
    dueAt(due('first'), Date.now() + 1_000);
    setBack(() => {
      dueAt(due('second'), Date.now() + 2_000);
      dueAt(due('fourth'), Date.now() + 4_000);
    });
    pass(5_000);
    expect(late).toEqual(['first', 'second', 'third', 'fourth']);
  });
});
