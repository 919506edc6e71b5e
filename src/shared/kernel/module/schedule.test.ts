import { describe, expect, it } from 'vitest';
import { StartError } from '../errors/index.ts';
import type { Timer } from './module.ts';
import { recordedSchedule, refuseInvalidTimers } from './schedule.ts';

const run = async () => undefined;
const now = Date.UTC(2026, 0, 1);

/** Returns the first times of a cron expression after a time. */
function times(cron: string, timeZone: string | undefined, after: string, count: number): string[] {
  const next = recordedSchedule({ name: 'nightly', cron, timeZone, run })!;
  const found: string[] = [];
  for (let at = Date.parse(after); found.length < count; ) {
    at = next(at);
    found.push(new Date(at).toISOString().replace(':00.000', ''));
  }
  return found;
}

describe('a cron expression', () => {
  it('uses UTC unless the timer names a time zone', () => {
    expect(times('0 3 * * *', undefined, '2026-07-01T03:00:00.005Z', 1)).toEqual(['2026-07-02T03:00Z']);
    expect(times('0 3 * * *', 'Europe/Berlin', '2026-07-01T03:00:00Z', 1)).toEqual(['2026-07-02T01:00Z']);
    expect(times('0 9 * * MON-FRI', undefined, '2026-07-03T09:00:00Z', 1)).toEqual(['2026-07-06T09:00Z']);
  });

  // In Berlin, 2026-03-29 has no time from 02:00 to 03:00.
  it.each(['30 2 * * *', '30 2,23 * * 0'])('with a time that daylight saving skips runs at the change: %s', (cron) => {
    expect(times(cron, 'Europe/Berlin', '2026-03-28T23:00:00Z', 1)).toEqual(['2026-03-29T01:00Z']);
  });

  it('runs once per night around the start of daylight saving', () => {
    const nights = ['2026-03-28T01:30Z', '2026-03-29T01:00Z', '2026-03-30T00:30Z'];
    expect(times('30 2 * * *', 'Europe/Berlin', '2026-03-27T12:00:00Z', 3)).toEqual(nights);
  });

  // In Berlin, 2026-10-25 has the times from 02:00 to 03:00 twice.
  it('runs once per night when the end of daylight saving repeats its time', () => {
    const nights = ['2026-10-24T00:30Z', '2026-10-25T00:30Z', '2026-10-26T01:30Z'];
    expect(times('30 2 * * *', 'Europe/Berlin', '2026-10-23T12:00:00Z', 3)).toEqual(nights);
  });

  it('with a step follows the elapsed time through the repeated hour', () => {
    const halves = ['2026-10-25T00:30Z', '2026-10-25T01:00Z', '2026-10-25T01:30Z', '2026-10-25T02:00Z'];
    expect(times('*/30 * * * *', 'Europe/Berlin', '2026-10-25T00:00:00Z', 4)).toEqual(halves);
  });
});

it('an interval shorter than a minute is not recorded', () => {
  expect(recordedSchedule({ name: 'short', everyMs: 59_999, run })).toBeUndefined();
  expect(recordedSchedule({ name: 'long', everyMs: 60_000, run })?.(now)).toBe(now + 60_000);
});

describe('a module does not open', () => {
  const opening =
    (...timers: Timer[]) =>
    () =>
      refuseInvalidTimers('orders', timers, now);

  const fields = 'write five fields: minute, hour, day of month, month, day of week';

  it.each([
    ['61 * * * *', `cron "61 * * * *" is invalid: Invalid value for minute: 61; ${fields}`],
    ['0 0 30 2 *', `cron "0 0 30 2 *" is invalid: no date matches it; ${fields}`],
    ['2027-01-01T00:00:00', `cron "2027-01-01T00:00:00" is invalid: it is a date; ${fields}`],
    ['* * * * * *', expect.stringContaining('"* * * * * *" is invalid: ')],
    ['at night', expect.stringContaining('"at night" is invalid: ')],
    ['', expect.stringContaining('cron "" is invalid: ')],
  ])('with the cron expression "%s"', (cron, reason) => {
    const message = typeof reason === 'string' ? `timer "nightly" of "orders": ${reason}` : reason;
    expect(opening({ name: 'nightly', cron, run })).toThrow(expect.objectContaining({ message }));
    expect(opening({ name: 'nightly', cron, run })).toThrow(/^timer "nightly" of "orders": [^\n]+$/);
    expect(opening({ name: 'nightly', cron, run })).toThrow(StartError);
  });

  it('with an unknown time zone', () => {
    expect(opening({ name: 'nightly', cron: '0 3 * * *', timeZone: 'Europe/Nowhere', run })).toThrow(
      'timer "nightly" of "orders": time zone "Europe/Nowhere" is unknown; write a name such as Europe/Berlin',
    );
  });

  it.each([0, -1, Number.NaN])('with an interval of %s', (everyMs) => {
    expect(opening({ name: 'sweep', everyMs, run })).toThrow(
      `timer "sweep" of "orders": everyMs must be a positive number, not ${everyMs}`,
    );
  });

  it('with two timers of the same name', () => {
    const timer = { name: 'sweep', everyMs: 60_000, run };
    expect(opening(timer, timer)).toThrow('timer "sweep" of "orders": another timer has this name');
    expect(opening(timer, { ...timer, name: 'other' })).not.toThrow();
  });
});
