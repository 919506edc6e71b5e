import { describe, expect, it } from 'vitest';
import { outcomeOf } from './cancellation.cases.ts';
import { createCall, createClient } from './client.ts';
import { InProcessTransport, type Parity } from './in-process.ts';
import { dispatch, sample, transportCases } from './transport.cases.ts';
import { maximumBodyBytes } from './transport.ts';

const limits = { fast: Number.POSITIVE_INFINITY, strict: maximumBodyBytes };

for (const parity of ['fast', 'strict'] as const) {
  const transport = new InProcessTransport(dispatch, parity);
  transportCases(`a function, ${parity}`, async () => ({
    transport,
    limitBytes: limits[parity],
    close: async () => {},
  }));
}

function clientOf(parity: Parity) {
  const transport = new InProcessTransport(dispatch, parity);
  return createClient(sample, (operation) => createCall(operation, 'other', () => transport));
}

describe('known differences between a call in-process and over a wire', () => {
  const client = clientOf('fast');

  it('keeps an optional field that is undefined, which JSON omits', async () => {
    expect(Object.keys(await client.echo({ text: 'x', tags: undefined }))).toEqual(['text', 'tags']);
  });

  it('keeps minus zero, which JSON writes as zero', async () => {
    expect(Object.is((await client.strict({ n: -0 })).n, -0)).toBe(true);
  });

  it('accepts inputs and answers of any size', async () => {
    const letters = maximumBodyBytes + 1;
    expect((await client.echo({ text: 'x'.repeat(letters) })).text.length).toBe(letters);
    expect((await client.grow({ letters })).text.length).toBe(letters);
  });
});

it('has none of these differences with strict parity', async () => {
  const client = clientOf('strict');
  expect(Object.keys(await client.echo({ text: 'x', tags: undefined }))).toEqual(['text']);
  expect(Object.is((await client.strict({ n: -0 })).n, 0)).toBe(true);
  expect(await outcomeOf(client.grow({ letters: maximumBodyBytes }))).toBe('body-too-large');
});
