import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { CallCounter, CallRequest } from '../calls/index.ts';
import { type CallContext, Cancellation, type Clock, ManualClock, systemClock } from '../context/index.ts';
import { contract, nothing, query } from '../contract/index.ts';
import { NotWritten, toProblem } from '../errors/index.ts';
import { silentLog } from '../telemetry/index.ts';
import { Dispatcher } from './dispatcher.ts';

const shop = contract('shop', { operations: { open: query({ summary: 'Opens', input: nothing, output: nothing }) } });

function opened(open: () => Promise<unknown>, log = silentLog, clock: Clock = systemClock) {
  return new Dispatcher(shop, { open: open as never }, {} as never, clock, log);
}

function requestWith(context: CallContext, toCaller?: CallRequest['toCaller']): CallRequest {
  return { operation: shop.operations.open as never, input: {}, context, ...(toCaller && { toCaller }) };
}

it('counts a local call until its handler has ended, also after its timeout', async () => {
  const handler = Promise.withResolvers<object>();
  const { dispatch, inFlight } = opened(() => handler.promise);
  const context = { requestId: 'r', caller: 'test', deadline: Date.now() };
  await expect(dispatch('open', {}, context, requestWith(context))).rejects.toThrow('did not answer in time');
  expect(inFlight.count).toBe(1);
  handler.resolve({});
  await inFlight.idle();
  expect(inFlight.count).toBe(0);
});

it('maps every error for a local caller, also an invalid answer', async () => {
  const { dispatch } = opened(async () => 'not an object');
  const context = { requestId: 'r', caller: 'test', deadline: Number.POSITIVE_INFINITY };
  const seen = (error: unknown) => new Error(`seen: ${(error as Error).message}`);
  const request = requestWith(context, seen);
  await expect(dispatch('open', {}, context, request)).rejects.toThrow(/^seen: /);
  await expect(dispatch('open', { more: 1 }, context, request)).rejects.toThrow(/^seen: /);
  await expect(dispatch('open', {}, context)).rejects.toMatchObject({ code: 'internal' });
});

it('logs the invalid place of an answer when its check throws, and hides it from the caller', async () => {
  const told: { error: Error }[] = [];
  const log = { ...silentLog, error: (fields: { error: Error }) => told.push(fields) };
  const checked = z.object({ lines: z.array(z.string().max(3)) });
  const odd = contract('odd', { operations: { list: query({ summary: 'Lists', input: nothing, output: checked }) } });
  const list = async () => ({ lines: ['a', { length: { toString: '' } }] });
  const { dispatch } = new Dispatcher(odd, { list: list as never }, {} as never, systemClock, log as never);
  const context = { requestId: 'r', caller: 'test', deadline: Number.POSITIVE_INFINITY };
  await expect(dispatch('list', {}, context)).rejects.toMatchObject({ code: 'internal', data: {} });
  expect(told[0]!.error).toMatchObject({ issues: [{ path: ['lines', 1] }] });
});

it('logs repeated failures of an operation once a minute, the first time with the stack', async () => {
  const told: object[] = [];
  const log = { ...silentLog, error: (fields: object) => told.push(fields) };
  const clock = new ManualClock();
  const fault = new Error('at sea');
  const { dispatch } = opened(() => Promise.reject(fault), log as never, clock);
  const context = { requestId: 'r', caller: 'test', deadline: Number.POSITIVE_INFINITY };
  const fail = () => expect(dispatch('open', {}, context)).rejects.toMatchObject({ code: 'internal' });
  for (let times = 0; times < 3; times++) await fail();
  clock.advance(60_000);
  await fail();
  const line = { error: fault, operation: 'shop.open' };
  expect(told).toEqual([line, { ...line, suppressed: 2 }]);
});

const full = new NotWritten('shop', 'data/shop.db', 'the disk is full');
it.each([
  ['a unit of work', full],
  ['a query', new Error('Failed query: SELECT …', { cause: full })],
])('answers "unavailable" when the disk refuses %s, and only logs the reason', async (_, error) => {
  const told: { error: Error }[] = [];
  const log = { ...silentLog, error: (fields: { error: Error }) => told.push(fields) };
  const refused = () => Promise.reject(error);
  const { dispatch } = opened(refused, log as never);
  const context = { requestId: 'r', caller: 'test', deadline: Number.POSITIVE_INFINITY };
  const outcome = dispatch('open', {}, context).catch(toProblem);
  expect(await outcome).toEqual({
    type: 'urn:kerf:problem:unavailable',
    title: 'A required part of the system cannot be reached',
    status: 503,
    code: 'unavailable',
    detail: '"shop" can keep nothing at the moment',
  });
  expect(told[0]!.error).toBe(error);
  expect(full.cause).toMatchObject({ message: 'data/shop.db took no write: the disk is full' });
});

describe('a counter of calls', () => {
  /** Creates a dispatcher that notes what it counts. */
  function counted(open: () => Promise<unknown>) {
    const notes: unknown[] = [];
    const counter: CallCounter = {
      sent() {},
      served: () => ({
        answered: (caller) => notes.push(['answered', caller]),
        failed: (caller, error) => notes.push(['failed', caller, (error as { code?: string }).code]),
        cancelled: (caller, why) => notes.push(['gave up', caller, why]),
        timed: ({ caller }) => notes.push(['timed', caller]),
        remote: ({ caller }) => notes.push(['remote', caller]),
      }),
    };
    const handlers = { open: open as never };
    const hooks = { counter };
    const own = new Dispatcher(shop, handlers, {} as never, systemClock, silentLog, undefined, hooks);
    const call = async (caller: string, deadline = Number.POSITIVE_INFINITY, isRemote = false) => {
      const context = { requestId: 'r', caller, deadline, cancellation: new Cancellation() };
      await own.dispatch('open', {}, context, isRemote ? undefined : requestWith(context)).catch(() => {});
    };
    return { notes, call, inFlight: own.inFlight };
  }

  it('counts each call once, by its caller, and times the first', async () => {
    const { notes, call } = counted(async () => ({}));
    await call('orders');
    await call('gateway');
    await call('mail', Number.POSITIVE_INFINITY, true);
    expect(notes).toEqual([
      ['timed', 'orders'],
      ['answered', 'orders'],
      ['answered', 'gateway'],
      ['remote', 'mail'],
    ]);
  });

  it('counts a fault and an invalid answer as the error that the caller gets', async () => {
    const fault = counted(() => Promise.reject(new Error('no')));
    await fault.call('orders');
    const invalid = counted(async () => 'not an object');
    await invalid.call('orders');
    for (const { notes } of [fault, invalid]) expect(notes.slice(1)).toEqual([['failed', 'orders', 'internal']]);
  });

  it('counts a call that came too late once, however it ends later', async () => {
    const handler = Promise.withResolvers<object>();
    const { notes, call, inFlight } = counted(() => handler.promise);
    await call('orders', Date.now());
    handler.resolve({});
    await inFlight.idle();
    expect(notes.slice(1)).toEqual([['gave up', 'orders', 'late']]);
  });
});
