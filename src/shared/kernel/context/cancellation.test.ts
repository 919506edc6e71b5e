import { expect, it } from 'vitest';
import { Cancellation } from './cancellation.ts';

it('notifies each listener once, and later listeners immediately', () => {
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

it('aborts its signal, created before or after the cancellation', () => {
  const [early, late] = [new Cancellation(), new Cancellation()];
  const { signal } = early;
  early.cancel();
  late.cancel();
  expect([signal.aborted, late.signal.aborted]).toEqual([true, true]);
});

it('propagates from a call to its child calls, and not back', () => {
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

it('keeps no listener of an ended call', () => {
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

it('does not notify a listener that an earlier listener removed', () => {
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

it('notifies nobody after its release, and detaches from its parent', () => {
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

it('notifies the waiter before other listeners, and happens at the deadline', async () => {
  const told: string[] = [];
  const late = new Cancellation();
  late.onCancel(() => told.push('worker'));
  const why = await new Promise((resolve) => {
    late.wait(Date.now(), (given) => {
      told.push('waiter');
      resolve(given);
    });
  });
  await undefined;
  expect([why, late.cancelled, told]).toEqual(['late', true, ['waiter', 'worker']]);
});

it('tells a waiter that the answer is unwanted, also after the cancellation, but not after the end of the call', () => {
  const call = new Cancellation();
  const [waits, ended] = [new Cancellation(call), new Cancellation(call)];
  const told: string[] = [];
  waits.wait(Number.POSITIVE_INFINITY, (why) => told.push(`waits: ${why}`));
  ended.wait(Number.POSITIVE_INFINITY, (why) => told.push(`ended: ${why}`));
  ended.release();
  call.cancel();
  new Cancellation(call).wait(Number.POSITIVE_INFINITY, (why) => told.push(`comes: ${why}`));
  expect(told).toEqual(['waits: unwanted', 'comes: unwanted']);
});

it('accepts only one waiter', () => {
  const call = new Cancellation();
  call.wait(Number.POSITIVE_INFINITY, () => {});
  expect(() => call.wait(Number.POSITIVE_INFINITY, () => {})).toThrow('has a deadline already');
});

it('notifies all earlier listeners, also when a listener adds further listeners', () => {
  const call = new Cancellation();
  const [listens, waits] = [new Cancellation(call), new Cancellation(call)];
  const told: string[] = [];
  call.onCancel(() => {
    listens.onCancel(() => told.push('listens, last'));
    waits.wait(Number.POSITIVE_INFINITY, (why) => told.push(`waits, last: ${why}`));
  });
  listens.wait(Number.POSITIVE_INFINITY, (why) => told.push(`listens, waiter: ${why}`));
  listens.onCancel(() => told.push('listens, worker'));
  waits.onCancel(() => told.push('waits, worker'));
  call.cancel();
  expect(told).toEqual([
    ...['listens, waiter: unwanted', 'listens, worker', 'listens, last'],
    ...['waits, worker', 'waits, last: unwanted'],
  ]);
});
