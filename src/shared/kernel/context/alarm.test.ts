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

  it('fires once, at the earliest of its times', () => {
    alarm.set(300);
    alarm.set(100);
    alarm.set(200);
    clock.advance(1_000);
    expect(woken).toEqual([100]);
  });

  it('does not fire when it is off', () => {
    alarm.set(100);
    alarm.off();
    clock.advance(1_000);
    expect(woken).toEqual([]);
  });

  it('fires after at most a second, so that its owner checks the clock again', () => {
    alarm.set(7_200_000);
    clock.advance(1_000);
    expect(woken).toEqual([1_000]);
  });

  it('fires within a second after the clock steps back', () => {
    aheadMs = 7_200_000;
    alarm.set(1_000);
    clock.advance(500);
    aheadMs = 0;
    // The caller computed its due time before the step.
    alarm.set(7_200_000);
    clock.advance(1_000);
    expect(woken).toEqual([1_500]);
  });

  it('fires within a second after the clock steps forward', () => {
    alarm.set(1_000);
    aheadMs = 7_200_000;
    alarm.set(100);
    clock.advance(1_000);
    expect(woken).toEqual([1_000]);
  });
});
