import { expect, it } from 'vitest';
import { InOrder } from './in-order.ts';

it('runs what has one key in the order it came, and other keys meanwhile', async () => {
  const inOrder = new InOrder();
  const log: string[] = [];
  const gate = Promise.withResolvers<void>();
  const first = inOrder.run('a', async () => {
    await gate.promise;
    log.push('a1');
  });
  const second = inOrder.run('a', async () => log.push('a2'));
  await inOrder.run('b', async () => log.push('b1'));
  gate.resolve();
  await Promise.all([first, second]);
  expect(log).toEqual(['b1', 'a1', 'a2']);
  await inOrder.idle();
});

it('lets nothing overtake what has failed, and begins afresh after it', async () => {
  const inOrder = new InOrder();
  const log: number[] = [];
  const failing = inOrder.run('a', async () => {
    await null;
    throw new Error('the disk is full');
  });
  const behind = inOrder.run('a', async () => log.push(2));
  await expect(failing).rejects.toThrow('full');
  await expect(behind).rejects.toThrow('full');
  await inOrder.idle();
  await inOrder.run('a', async () => log.push(1));
  expect(log).toEqual([1]);
});
