import { describe, expect, it } from 'vitest';
import { createCall, createClient } from './client.ts';
import { InProcessTransport } from './in-process.ts';
import { dispatch, sample, transportCases } from './transport.cases.ts';

for (const parity of ['fast', 'strict'] as const) {
  const transport = new InProcessTransport(dispatch, parity);
  transportCases(`a function, ${parity}`, async () => ({ transport, close: async () => {} }));
}

describe('known differences between a call in-process and over a wire', () => {
  const transport = new InProcessTransport(dispatch);
  const client = createClient(sample, (operation) => createCall(operation, 'other', () => transport));

  it('keeps an optional field that is there and undefined, which JSON leaves out', async () => {
    expect(Object.keys(await client.echo({ text: 'x', tags: undefined }))).toEqual(['text', 'tags']);
  });

  it('keeps minus zero, which JSON writes as zero', async () => {
    expect(Object.is((await client.strict({ n: -0 })).n, -0)).toBe(true);
  });
});
