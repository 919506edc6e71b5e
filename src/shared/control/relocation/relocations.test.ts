import { beforeEach, expect, it } from 'vitest';
import type { RelocationOrder } from './relocation-order.ts';
import { Relocations } from './relocations.ts';

const order: RelocationOrder = {
  module: 'shop',
  placement: { kind: 'in-process' },
  again: false,
  forNow: true,
  by: 'ann',
};

let relocations: Relocations;
/** Ends the work in progress. */
let end: () => void;
let told: AbortSignal;

const work = (stops: AbortSignal) => {
  told = stops;
  return new Promise<string>((resolve) => {
    end = () => resolve('done');
  });
};

beforeEach(() => {
  relocations = new Relocations({} as never);
  relocations.begin();
});

it('moves no module during exclusive work, and names that work in the refusal', async () => {
  const done = relocations.whileNoneMoves('the price of a call is being measured', work);
  const refused = {
    code: 'conflict',
    message: 'the price of a call is being measured just now; order the move again in some seconds',
  };
  await expect(relocations.move(order)).rejects.toMatchObject(refused);
  await expect(relocations.whileNoneMoves('something else', work)).rejects.toMatchObject(refused);
  end();
  expect(await done).toBe('done');
  const fails = () => Promise.reject(new Error('it cannot be measured'));
  await expect(relocations.whileNoneMoves('it', fails)).rejects.toThrow('it cannot be measured');
  expect(await relocations.whileNoneMoves('it', async () => 'done again')).toBe('done again');
});

it('completes a running relocation before exclusive work', async () => {
  // These relocations know no module, so a move fails as soon as it begins.
  const moved = expect(relocations.move(order)).rejects.toThrow();
  expect(relocations.current?.module).toBe('shop');
  expect(await relocations.whileNoneMoves('it', async () => relocations.current)).toBeUndefined();
  await moved;
});

it('aborts exclusive work when the system stops, and waits for its end', async () => {
  const done = relocations.whileNoneMoves('it', work);
  const stopped = relocations.stop().then(() => 'stopped');
  expect([told.aborted, await Promise.race([stopped, Promise.resolve('waits')])]).toEqual([true, 'waits']);
  end();
  expect([await done, await stopped]).toEqual(['done', 'stopped']);
  await expect(relocations.whileNoneMoves('it', work)).rejects.toMatchObject({ message: 'the system stops' });
});
