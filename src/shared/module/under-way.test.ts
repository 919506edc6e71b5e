import { expect, it } from 'vitest';
import { UnderWay } from './under-way.ts';

it('counts the calls of each module, and tells when none is under way, however they end', async () => {
  const underWay = new UnderWay();
  const log: string[] = [];
  await underWay.idle('payments');
  const one = Promise.withResolvers<string>();
  const other = Promise.withResolvers<string>();
  const answers = [underWay.run('payments', () => one.promise), underWay.run('payments', () => other.promise)];
  void underWay.run('orders', () => new Promise(() => {}));
  void underWay.idle('payments').then(() => log.push('idle'));
  expect([underWay.count('payments'), underWay.count('orders')]).toEqual([2, 1]);
  one.resolve('done');
  expect(await answers[0]).toBe('done');
  expect([underWay.count('payments'), log]).toEqual([1, []]);
  other.reject(new Error('no'));
  await expect(answers[1]).rejects.toThrow('no');
  expect(underWay.count('payments')).toBe(0);
  await underWay.idle('payments');
  expect(log).toEqual(['idle']);
});
