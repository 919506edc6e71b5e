import { afterEach, expect, it } from 'vitest';
import { z } from 'zod';
import { createCall, type Serve } from '../../kernel/calls/index.ts';
import { sample } from '../../kernel/calls/transport.cases.ts';
import { isRefusal } from '../../kernel/errors/index.ts';
import { type Log, silentLog } from '../../kernel/telemetry/index.ts';
import { type Callee, type CalleeOptions, openCallee } from './http.cases.ts';

const opened: Callee[] = [];
afterEach(async () => {
  for (const each of opened.splice(0).reverse()) await each.close();
});

async function open(parts: CalleeOptions = {}): Promise<Callee> {
  const one = await openCallee(parts);
  opened.push(one);
  return one;
}

/** Calls like a module of another release, whose contract accepts any input. Resolves with the error. */
async function failureOfCall(to: Callee, caller: string): Promise<unknown> {
  const operation = { ...sample.operations.strict, input: z.unknown() };
  return createCall(operation as never, caller, () => to.link())({ n: 'one' }).catch((error) => error);
}

it('shows a caller its invalid input also when another process forwards the call', async () => {
  const way = (await open()).link();
  const passOn: Serve = (_, name, input, context) =>
    way.call({ operation: sample.operations[name as 'strict'] as never, input, context });
  const between = await open({ serve: passOn });
  const error = await failureOfCall(between, 'other');
  expect(isRefusal(error)).toBe(false);
  expect(String(error)).toContain('other called sample.strict with invalid input');
  const toGateway = await failureOfCall(between, 'gateway');
  expect(isRefusal(toGateway, 'invalid-input') && toGateway.data.issues).toEqual([
    expect.objectContaining({ path: 'n' }),
  ]);
});

it('logs a failure that is not a refusal, and hides it from the caller', async () => {
  const noted: unknown[] = [];
  const log = { ...silentLog, error: (...words: unknown[]) => noted.push(words) } as unknown as Log;
  const failure = new Error('the secret is 1234');
  const callee = await open({ log, serve: () => Promise.reject(failure) });
  expect(await failureOfCall(callee, 'other')).toMatchObject({
    code: 'internal',
    message: expect.not.stringMatching('1234'),
  });
  expect(noted).toEqual([[{ error: failure, path: '/modules/sample/strict' }, 'a call by HTTP failed']]);
});
