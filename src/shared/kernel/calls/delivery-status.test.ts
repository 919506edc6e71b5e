import { expect, it } from 'vitest';
import { refusal } from '../errors/index.ts';
import { isNotSent, markNotSent } from './delivery-status.ts';

it('the delivery status of an error is found despite circular causes, and is not enumerable', () => {
  const circle = new Error('a');
  circle.cause = new Error('b', { cause: circle });
  expect([isNotSent(circle), isNotSent(null)]).toEqual([false, false]);
  const unavailable = () => refusal('unavailable', 'payments cannot be reached');
  expect(Object.keys(markNotSent(unavailable()))).toEqual(Object.keys(unavailable()));
});
