import { expect, it } from 'vitest';
import { runInContext } from '../context/index.ts';
import { contract, nothing, type Operation, query } from '../contract/index.ts';
import { createCall } from './client.ts';

const { find, slow } = contract('sample', {
  operations: {
    find: query({ summary: 'Sample', input: nothing, output: nothing }),
    slow: query({ summary: 'Sample', input: nothing, output: nothing, timeoutMs: 14_000 }),
  },
}).operations as unknown as Record<'find' | 'slow', Operation>;

/** How long a call may take, in whole seconds. */
async function secondsFor(operation: Operation, timeoutMs?: number): Promise<number> {
  let deadline = 0;
  const transport = {
    call: async ({ context }: { context: { deadline: number } }) => {
      deadline = context.deadline;
    },
  };
  const startedAt = Date.now();
  await createCall(operation, 'other', () => transport)({}, { timeoutMs });
  return Math.round((deadline - startedAt) / 1_000);
}

it('gives a call the timeout of its operation, the default timeout, or a shorter one from the caller', async () => {
  expect([await secondsFor(find), await secondsFor(slow)]).toEqual([5, 14]);
  expect([await secondsFor(find, 2_000), await secondsFor(slow, 2_000)]).toEqual([2, 2]);
  expect([await secondsFor(find, 60_000), await secondsFor(slow, 60_000)]).toEqual([5, 14]);
});

it('limits a call to the remaining time of its parent call', async () => {
  const context = { requestId: 'r', caller: 'gateway', deadline: Date.now() + 3_000 };
  expect(await runInContext(context, () => secondsFor(slow))).toBe(3);
});
