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

it('tells who waits before those who work, and happens when the deadline is over', async () => {
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

it('tells who waits that the answer is unwanted, also when that was known before, and of a call that ended nothing', () => {
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

it('lets one wait only', () => {
  const call = new Cancellation();
  call.wait(Number.POSITIVE_INFINITY, () => {});
  expect(() => call.wait(Number.POSITIVE_INFINITY, () => {})).toThrow('has a deadline already');
});

it('tells those who listened before, also when one who is told first listens or waits as well', () => {
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
