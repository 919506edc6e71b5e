import { expect, it } from 'vitest';
import { CallsInFlight } from './calls-in-flight.ts';

it('counts calls in flight, and notifies all waiters when none is left, however the calls end', async () => {
  const inFlight = new CallsInFlight();
  const log: string[] = [];
  await inFlight.idle();
  const one = Promise.withResolvers<string>();
  const other = Promise.withResolvers<string>();
  const answers = [inFlight.until(one.promise), inFlight.until(other.promise)];
  for (const who of ['first', 'second']) void inFlight.idle().then(() => log.push(who));
  expect(inFlight.count).toBe(2);
  one.resolve('done');
  expect(await answers[0]).toBe('done');
  expect([inFlight.count, log]).toEqual([1, []]);
  other.reject(new Error('no'));
  await expect(answers[1]).rejects.toThrow('no');
  expect(inFlight.count).toBe(0);
  await inFlight.idle();
  expect(log).toEqual(['first', 'second']);
});
