import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createCall, type Serve } from '../../kernel/calls/index.ts';
import { sample } from '../../kernel/calls/transport.cases.ts';
import { contract, query } from '../../kernel/contract/index.ts';
import { isRefusal } from '../../kernel/errors/index.ts';
import { clientOver, codeOf, errorOf, openScene } from './grpc.cases.ts';

describe('known differences of values over gRPC', () => {
  const numbers = z.object({ whole: z.int(), any: z.number(), text: z.string().optional() });
  const values = contract('values', {
    operations: { echo: query({ summary: 'Echoes', input: numbers, output: numbers }) },
  });
  const serve: Serve = async (_module, _operation, input) => input;

  it('changes minus zero to zero in integers, like JSON, and keeps it elsewhere, unlike JSON', async () => {
    const { link, close } = await openScene({ contract: values, serve });
    const { whole, any } = await clientOver(link(), values).echo({ whole: -0, any: -0 });
    expect([Object.is(whole, 0), Object.is(any, -0)]).toEqual([true, true]);
    await close();
  });

  it('refuses a lone surrogate, which JSON can represent', async () => {
    const { link, close } = await openScene();
    const call = createCall(sample.operations.echo as never, 'gateway', () => link());
    const error = await errorOf(call({ text: 'x', tags: ['\ud800'] }));
    expect(isRefusal(error, 'invalid-input') && error.data.issues).toEqual([
      { path: 'tags.0', message: 'must be well-formed text' },
    ]);
    await close();
  });

  it('answers "internal" when the callee returns a lone surrogate', async () => {
    const { link, close } = await openScene({ serve: async () => ({ text: '\ud800' }) });
    expect(await codeOf(clientOver(link()).echo({ text: 'x' }))).toBe('internal');
    await close();
  });
});
