import { describe, expect, it } from 'vitest';
import { type CallContext, runInContext } from '../../context/index.ts';
import { invalidInput, isRefusal } from '../../errors/index.ts';
import { createCall } from '../client.ts';
import { sample } from '../transport.cases.ts';
import type { Serve } from '../transport.ts';
import { clientOver, codeOf, errorOf, held, openScene } from './grpc.cases.ts';

describe('what goes beside a call by grpc', () => {
  it('is any text, also where metadata is ASCII', async () => {
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

  it('shortens a long list of misfits, so that any program can read the refusal', async () => {
    const issues = Array.from({ length: 20 }, (_, n) => ({
      path: `${n}.${'톱'.repeat(190)}`,
      message: 'does not fit',
    }));
    const { link, close } = await openScene({ serve: () => Promise.reject(invalidInput(issues)) });
    const call = createCall(sample.operations.echo as never, 'gateway', () => link());
    const error = await errorOf(call({ text: 'x' }));
    const told = error.data.issues as unknown[];
    expect(isRefusal(error, 'invalid-input') && told).toEqual(issues.slice(0, told.length));
    expect(JSON.stringify(error.data).length).toBeLessThan(4 * 1024);
    await close();
  });

  it('is a refusal with much data, up to a limit', async () => {
    const since = 'x'.repeat(30_000);
    let refused = sample.refuse('too-late', 'long ago', { since });
    const { link, close } = await openScene({ serve: () => Promise.reject(refused) });
    const client = clientOver(link());
    expect((await errorOf(client.refuse({}))).data).toEqual({ since });
    refused = sample.refuse('too-late', 'long ago', { since: since.repeat(2) });
    expect(await codeOf(client.refuse({}))).toBe('internal');
    await close();
  });

  it('tells the callee that the caller has gone', async () => {
    const { serve, begun, letGo } = held();
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
