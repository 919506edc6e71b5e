import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createCall, type Serve } from '../../kernel/calls/index.ts';
import { sample } from '../../kernel/calls/transport.cases.ts';
import { contract, query } from '../../kernel/contract/index.ts';
import { isRefusal } from '../../kernel/errors/index.ts';
import { clientOver, codeOf, errorOf, openScene } from './grpc.cases.ts';

describe('known differences of values by grpc', () => {
  const numbers = z.object({ whole: z.int(), any: z.number(), text: z.string().optional() });
  const values = contract('values', {
    operations: { echo: query({ about: 'Echoes', input: numbers, output: numbers }) },
  });
  const serve: Serve = async (_module, _operation, input) => input;

  it('makes minus zero zero where numbers are whole, as JSON does; elsewhere it stays, unlike in JSON', async () => {
    const { link, close } = await openScene({ contract: values, serve });
    const { whole, any } = await clientOver(link(), values).echo({ whole: -0, any: -0 });
    expect([Object.is(whole, 0), Object.is(any, -0)]).toEqual([true, true]);
    await close();
  });

  it('refuses half a surrogate pair, which JSON can say', async () => {
    const { link, close } = await openScene();
    const call = createCall(sample.operations.echo as never, 'gateway', () => link());
    const error = await errorOf(call({ text: 'x', tags: ['\ud800'] }));
    expect(isRefusal(error, 'invalid-input') && error.data.issues).toEqual([
      { path: 'tags.0', message: 'must be well-formed text' },
    ]);
    await close();
  });

  it('answers internal where the callee says half a surrogate pair', async () => {
    const { link, close } = await openScene({ serve: async () => ({ text: '\ud800' }) });
    expect(await codeOf(clientOver(link()).echo({ text: 'x' }))).toBe('internal');
    await close();
  });
});
