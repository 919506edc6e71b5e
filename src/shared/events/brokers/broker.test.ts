import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../clock/index.ts';
import { within } from './broker.ts';

describe('what must be answered within a time', () => {
  it('comes to the answer when there is one', async () => {
    const clock = new ManualClock();
    await expect(within(clock, 5_000, Promise.resolve('stored'))).resolves.toBe('stored');
    await expect(within(clock, 5_000, Promise.reject(new Error('no leader')))).rejects.toThrow('no leader');
  });

  it('is given up when the time is over, and not before', async () => {
    const clock = new ManualClock();
    const answered = Promise.withResolvers<string>();
    const [first, second] = [within(clock, 5_000, answered.promise), within(clock, 5_001, answered.promise)];
    const late = expect(first).rejects.toThrow('no answer within 5 seconds');
    clock.advance(5_000);
    await late;
    answered.resolve('stored');
    await expect(second).resolves.toBe('stored');
  });
});
