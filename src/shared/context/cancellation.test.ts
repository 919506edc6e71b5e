import { expect, it } from 'vitest';
import { Cancellation } from './cancellation.ts';

it('tells each listener once, and those that come later at once', () => {
  const told: string[] = [];
  const cancellation = new Cancellation();
  cancellation.onCancel(() => told.push('before'));
  const listenNoMore = cancellation.onCancel(() => told.push('left'));
  listenNoMore();
  cancellation.cancel();
  cancellation.cancel();
  cancellation.onCancel(() => told.push('after'));
  expect([told, cancellation.cancelled]).toEqual([['before', 'after'], true]);
});

it('aborts its signal, whenever that is asked for', () => {
  const [early, late] = [new Cancellation(), new Cancellation()];
  const { signal } = early;
  early.cancel();
  late.cancel();
  expect([signal.aborted, late.signal.aborted]).toEqual([true, true]);
});

it('passes on from a call to those made for it, and not the other way', () => {
  const call = new Cancellation();
  const [one, other] = [new Cancellation(call), new Cancellation(call)];
  const told: string[] = [];
  one.onCancel(() => told.push('one'));
  other.onCancel(() => told.push('other'));
  one.cancel();
  expect([told, call.cancelled, other.cancelled]).toEqual([['one'], false, false]);
  call.cancel();
  expect([told, other.cancelled, new Cancellation(call).signal.aborted]).toEqual([['one', 'other'], true, true]);
});

it('keeps nothing of a call that has ended', () => {
  const call = new Cancellation();
  const told: number[] = [];
  for (let n = 0; n < 10; n++) {
    const made = new Cancellation(call);
    const stops = [1, 2, 3].map(() => made.onCancel(() => told.push(n)));
    for (const stop of n % 2 ? stops : stops.reverse()) stop();
  }
  call.cancel();
  expect(told).toEqual([]);
});

it('tells nothing to a listener that one before it has listen no more', () => {
  const cancellation = new Cancellation();
  const told: string[] = [];
  let stop = () => {};
  cancellation.onCancel(() => {
    told.push('first');
    stop();
  });
  stop = cancellation.onCancel(() => told.push('second'));
  cancellation.onCancel(() => told.push('third'));
  cancellation.cancel();
  expect(told).toEqual(['first', 'third']);
});

it('tells nobody any more once it is released, nor holds on to its parent', () => {
  const call = new Cancellation();
  const made = new Cancellation(call);
  const told: string[] = [];
  const stop = made.onCancel(() => told.push('worker'));
  const { signal } = made;
  made.release();
  stop();
  call.cancel();
  expect([told, signal.aborted, made.cancelled]).toEqual([[], false, true]);
});
