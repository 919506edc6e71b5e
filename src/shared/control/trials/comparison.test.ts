import { expect, it } from 'vitest';
import { z } from 'zod';
import type { CallRequest } from '../../kernel/calls/index.ts';
import { ManualClock } from '../../kernel/context/index.ts';
import type { Operation } from '../../kernel/contract/index.ts';
import { Comparison } from './comparison.ts';

const parts = { module: 'payments', name: 'find', summary: '', input: z.any(), output: z.any() };
const operation = { ...parts, kind: 'query' } as Operation;
const context = { requestId: 'r', caller: 'orders', deadline: 1e15 };
const request: CallRequest = { operation, input: {}, context };

/** Compares one answer. `before` and `other` are the answers of the two releases, in the order in which they are asked. */
async function compared(answer: unknown, { before, other }: { before: unknown[]; other: unknown[] }) {
  const comparison = new Comparison({ callCandidate: async () => other.shift() }, new ManualClock());
  await comparison.compare(request, { call: async () => before.shift() }, answer);
  expect([before, other]).toEqual([[], []]);
  return comparison.compared;
}

it('repeats both queries when the answers differ, and reports the remaining difference', async () => {
  const value = (amount: number) => ({ id: 'p', lines: [{ amount }] });
  expect(await compared(value(1), { before: [value(1)], other: [value(2), value(2)] })).toEqual({
    same: 0,
    different: 1,
    differences: [{ operation: 'payments.find', at: 'lines.0.amount' }],
  });
});

it('treats a change between the two queries as equal', async () => {
  expect(await compared({ n: 2 }, { before: [{ n: 2 }], other: [{ n: 1 }, { n: 2 }] })).toMatchObject({
    same: 1,
    different: 0,
  });
});

it('repeats no query when the answers are equal', async () => {
  expect(await compared({ n: 2 }, { before: [], other: [{ n: 2 }] })).toMatchObject({ same: 1, different: 0 });
});
