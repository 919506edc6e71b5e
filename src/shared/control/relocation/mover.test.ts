import { beforeEach, expect, it } from 'vitest';
import { Mover } from './mover.ts';
import type { Order } from './order.ts';

const order: Order = { module: 'shop', placement: { kind: 'in-process' }, again: false, forNow: true, by: 'ann' };

let mover: Mover;
/** Ends the work that the mover does. */
let end: () => void;
let told: AbortSignal;

const work = (stops: AbortSignal) => {
  told = stops;
  return new Promise<string>((resolve) => {
    end = () => resolve('done');
  });
};

beforeEach(() => {
  mover = new Mover({} as never);
  mover.begin();
});

it('moves no module, and begins nothing else, while something is done that needs that, and says what it is', async () => {
  const done = mover.whileNoneMoves('the price of a call is being measured', work);
  const refused = {
    code: 'conflict',
    message: 'the price of a call is being measured just now; order it again in a while',
  };
  await expect(mover.move(order)).rejects.toMatchObject(refused);
  await expect(mover.whileNoneMoves('something else', work)).rejects.toMatchObject(refused);
  end();
  expect(await done).toBe('done');
  const fails = () => Promise.reject(new Error('it cannot be measured'));
  await expect(mover.whileNoneMoves('it', fails)).rejects.toThrow('it cannot be measured');
  expect(await mover.whileNoneMoves('it', async () => 'done again')).toBe('done again');
});

it('lets a module that moves finish before', async () => {
  // Of a mover that knows no module, a move fails as soon as it begins.
  const moved = expect(mover.move(order)).rejects.toThrow();
  expect(mover.current?.module).toBe('shop');
  expect(await mover.whileNoneMoves('it', async () => mover.current)).toBeUndefined();
  await moved;
});

it('tells what is done when the system stops, and waits for it', async () => {
  const done = mover.whileNoneMoves('it', work);
  const stopped = mover.stop().then(() => 'stopped');
  expect([told.aborted, await Promise.race([stopped, Promise.resolve('waits')])]).toEqual([true, 'waits']);
  end();
  expect([await done, await stopped]).toEqual(['done', 'stopped']);
  await expect(mover.whileNoneMoves('it', work)).rejects.toMatchObject({ message: 'the system stops' });
});
