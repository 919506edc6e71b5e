import { beforeEach, describe, expect, it } from 'vitest';
import { Alarm } from './alarm.ts';
import { ManualClock } from './manual.ts';

describe('an alarm', () => {
  let clock: ManualClock;
  let aheadMs: number;
  let woken: number[];
  let alarm: Alarm;

  beforeEach(() => {
    clock = new ManualClock(0);
    aheadMs = 0;
    woken = [];
    const stepping = {
      now: () => clock.now() + aheadMs,
      after: (delayMs: number, task: () => void) => clock.after(delayMs, task),
    };
    alarm = new Alarm(stepping, () => woken.push(clock.now()));
  });

  it('wakes once, at the earliest time that it was set to', () => {
    alarm.set(300);
    alarm.set(100);
    alarm.set(200);
    clock.advance(1_000);
    expect(woken).toEqual([100]);
  });

  it('wakes nobody when it is off', () => {
    alarm.set(100);
    alarm.off();
    clock.advance(1_000);
    expect(woken).toEqual([]);
  });

  it('wakes after a second at the latest, so that who slept looks again', () => {
    alarm.set(7_200_000);
    clock.advance(1_000);
    expect(woken).toEqual([1_000]);
  });

  it('wakes within a second when the clock was set back while it was set', () => {
    aheadMs = 7_200_000;
    alarm.set(1_000);
    clock.advance(500);
    aheadMs = 0;
    // The caller computed its due time before the step.
    alarm.set(7_200_000);
    clock.advance(1_000);
    expect(woken).toEqual([1_500]);
  });

  it('wakes within a second when the clock was set forward while it was set', () => {
    alarm.set(1_000);
    aheadMs = 7_200_000;
    alarm.set(100);
    clock.advance(1_000);
    expect(woken).toEqual([1_000]);
  });
});
