import { describe, expect, it } from 'vitest';
import { createCall, maximumBodyBytes, type Serve } from '../../kernel/calls/index.ts';
import { sample } from '../../kernel/calls/transport.cases.ts';
import { type CallContext, runInContext } from '../../kernel/context/index.ts';
import { fromProblem, invalidInput, isRefusal } from '../../kernel/errors/index.ts';
import { clientOver, codeOf, errorOf, gated, openScene } from './grpc.cases.ts';
import { names } from './protocol.ts';
import { toStatus } from './status.ts';

describe('the metadata of a gRPC call', () => {
  it('carries any text, although metadata is ASCII', async () => {
    const contexts: CallContext[] = [];
    const serve: Serve = async (_module, _operation, input, context) => {
      contexts.push(context);
      return input;
    };
    const { link, close } = await openScene({ serve });
    const caller = { requestId: ' 요청 1', caller: 'gateway', member: 'é', deadline: Date.now() + 5_000 };
    await runInContext(caller, () => clientOver(link()).keep({ text: 'x' }, { idempotencyKey: '열쇠, "1"' }));
    expect(contexts).toMatchObject([
      { requestId: ' 요청 1', member: 'é', idempotencyKey: '열쇠, "1"', caller: 'other' },
    ]);
    await close();
  });

  it('carries all validation issues, and drops some for a program that reads only metadata', async () => {
    const issues = Array.from({ length: 20 }, (_, n) => ({
      path: `${n}.${'톱'.repeat(190)}`,
      message: 'does not fit',
    }));
    const { link, close } = await openScene({ serve: () => Promise.reject(invalidInput(issues)) });
    const call = createCall(sample.operations.echo as never, 'gateway', () => link());
    const error = await errorOf(call({ text: 'x' }));
    expect(isRefusal(error, 'invalid-input') && error.data.issues).toEqual(issues);
    await close();
    const [bytes] = toStatus(invalidInput(issues)).metadata.get(names.problem);
    const told = JSON.parse(String(bytes)).issues as unknown[];
    expect(told).toEqual(issues.slice(0, told.length));
    expect([told.length > 1, bytes!.length < 4 * 1024]).toEqual([true, true]);
  });

  it('carries a refusal with data up to the size of an answer; foreign programs get the code', async () => {
    let refused = sample.refuse('plain');
    const { link, close } = await openScene({ serve: () => Promise.reject(refused) });
    const client = clientOver(link());
    for (const letters of [4_000, 30_000, 60_000, maximumBodyBytes - 200]) {
      refused = sample.refuse('too-late', 'long ago', { since: 'x'.repeat(letters) });
      const { code, status, title, message, data } = await errorOf(client.refuse({}));
      expect({ code, status, title, message }).toEqual({
        ...{ code: 'too-late', status: 409 },
        ...{ title: 'Too late', message: 'long ago' },
      });
      expect((data.since as string).length).toBe(letters);
      const [bytes] = toStatus(refused).metadata.get(names.problem);
      expect(fromProblem(JSON.parse(String(bytes)))).toMatchObject({ code, status, title, message });
    }
    refused = sample.refuse('too-late', 'long ago', { since: 'x'.repeat(maximumBodyBytes) });
    expect(await codeOf(client.refuse({}))).toBe('body-too-large');
    await close();
  });

  it('cancels the callee when the caller disconnects', async () => {
    const { serve, begun, letGo } = gated();
    const { link, close } = await openScene({ serve });
    const gone = new AbortController();
    const call = errorOf(clientOver(link()).when({}, { signal: gone.signal }));
    const { cancellation } = await begun;
    const told = new Promise<void>((resolve) => cancellation!.onCancel(resolve));
    gone.abort();
    expect((await call).code).toBe('cancelled');
    await told;
    letGo();
    await close();
  });
});
