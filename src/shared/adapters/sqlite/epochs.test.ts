import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Epochs } from './epochs.ts';

let writes: string[][];
let epochs: Epochs<string>;
const turns = async () => {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
};

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  writes = [];
  epochs = new Epochs(
    async (databases) => void writes.push([...databases]),
    () => 0,
  );
});
afterEach(() => void vi.useRealTimers());

it('syncs a commit that nothing waits for together with the next one that is urgent', async () => {
  const first = epochs.committed('orders', false);
  await turns();
  expect([writes, epochs.isPending]).toEqual([[], true]);
  await Promise.all([first, epochs.committed('payments', true)]);
  expect([writes, epochs.isPending]).toEqual([[['orders', 'payments']], false]);
});

it('syncs it when something begins to wait', async () => {
  void epochs.committed('orders', false);
  await epochs.onDisk();
  expect(writes).toEqual([['orders']]);
});

it('syncs it after 3 ms in any case', async () => {
  const committed = epochs.committed('orders', false);
  vi.advanceTimersByTime(2);
  await turns();
  expect(writes).toEqual([]);
  vi.advanceTimersByTime(1);
  await committed;
  expect(writes).toEqual([['orders']]);
});

it('waits at most 3 ms for a group of units in flight', async () => {
  let now = 0;
  epochs = new Epochs(
    async (databases) => void writes.push([...databases]),
    () => now,
  );
  epochs.groupBegan();
  const committed = epochs.committed('orders', true);
  await turns();
  expect(writes).toEqual([]);
  now = 3;
  await committed;
  expect(writes).toEqual([['orders']]);
});
