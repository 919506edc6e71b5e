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
