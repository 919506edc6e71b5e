import { expect, it } from 'vitest';
import { UnderWay } from './under-way.ts';

it('counts the calls that are under way, and tells everybody when none is, however they end', async () => {
  const underWay = new UnderWay();
  const log: string[] = [];
  await underWay.idle();
  const one = Promise.withResolvers<string>();
  const other = Promise.withResolvers<string>();
  const answers = [underWay.until(one.promise), underWay.until(other.promise)];
  for (const who of ['first', 'second']) void underWay.idle().then(() => log.push(who));
  expect(underWay.count).toBe(2);
  one.resolve('done');
  expect(await answers[0]).toBe('done');
  expect([underWay.count, log]).toEqual([1, []]);
  other.reject(new Error('no'));
  await expect(answers[1]).rejects.toThrow('no');
  expect(underWay.count).toBe(0);
  await underWay.idle();
  expect(log).toEqual(['first', 'second']);
});
