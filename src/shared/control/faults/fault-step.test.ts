import { randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import { outcomeOf } from '../../kernel/calls/cancellation.cases.ts';
import {
  type CallRequest,
  createCall,
  createClient,
  InProcessTransport,
  ofKernel,
  type Transport,
} from '../../kernel/calls/index.ts';
import { callee } from '../../kernel/calls/sample.cases.ts';
import { dispatch, sample } from '../../kernel/calls/transport.cases.ts';
import { Cancellation, ManualClock, runInContext } from '../../kernel/context/index.ts';
import type { CallFault } from '../admin-contract/index.ts';
import { CallFaults } from './call-faults.ts';
import { faultStep } from './fault-step.ts';

let clock: ManualClock;
let chance: number;
let faults: CallFaults;
/** The requests that reached the callee, in order. */
let arrived: CallRequest[];
let transport: Transport;

beforeEach(() => {
  clock = new ManualClock();
  chance = 0;
  faults = new CallFaults(clock, () => chance);
  arrived = [];
  const inside = new InProcessTransport(dispatch);
  const way: Transport = {
    call(request) {
      arrived.push(request);
      return request.operation.name.startsWith('kerf.') ? Promise.resolve({}) : inside.call(request);
    },
  };
  const step = faultStep(faults, clock);
  transport = { call: (request) => step(request, way.call) };
});

const meet = (...some: Partial<CallFault>[]) =>
  faults.set(some.map((fault) => ({ caller: '*', operation: '*', share: 1, until: clock.now() + 60_000, ...fault })));
const clientOf = (caller: string) =>
  createClient(sample, (operation) => createCall(operation, caller, () => transport));
const client = clientOf('other');
const x = { text: 'x' };
const timeoutMs = 40;
/** Waits for all work that does not depend on the clock. */
const settled = () => new Promise(setImmediate);

describe('a call with an injected fault', () => {
  it('continues after the latency and a part of the jitter', async () => {
    meet({ latencyMs: 100, jitterMs: 50 });
    chance = 0.5;
    const answer = client.echo(x);
    clock.advance(124);
    await settled();
    expect(arrived.length).toBe(0);
    clock.advance(1);
    expect(await answer).toEqual(x);
    expect(arrived.length).toBe(1);
  });

  it('is refused after its latency, and never arrives', async () => {
    meet({ error: 'unavailable' });
    expect(await outcomeOf(client.echo(x))).toBe('unavailable');
    meet({ error: 'overloaded', latencyMs: 10 });
    const outcome = outcomeOf(client.echo(x));
    clock.advance(10);
    expect([await outcome, arrived.length]).toEqual(['overloaded', 0]);
  });

  it('is lost: it times out and has no effect', async () => {
    meet({ lose: 'call' });
    const { times } = callee.added;
    expect(await outcomeOf(client.add({ n: 1 }, { timeoutMs }))).toBe('timeout');
    expect([arrived.length, callee.added.times]).toEqual([0, times]);
  });

  it('takes effect when only its answer is lost, and a repeat with its key gets the recorded answer', async () => {
    meet({ lose: 'answer' });
    const [idempotencyKey, { times }] = [randomUUID(), callee.added];
    expect(await outcomeOf(client.add({ n: 1 }, { timeoutMs, idempotencyKey }))).toBe('timeout');
    expect([arrived.length, callee.added.times]).toEqual([1, times + 1]);
    expect(await outcomeOf(client.refuse({}, { timeoutMs }))).toBe('timeout');
    faults.set([]);
    expect(await client.add({ n: 1 }, { idempotencyKey })).toEqual({ sum: callee.added.sum });
    expect(callee.added.times).toBe(times + 1);
  });

  it('arrives twice with the same key, its own or a new one, and takes effect once', async () => {
    meet({ double: true });
    const { times } = callee.added;
    const answered = await client.add({ n: 1 }, { idempotencyKey: 'its own' });
    expect(answered).toEqual({ sum: callee.added.sum });
    await client.add({ n: 1 });
    await settled();
    const keys = arrived.map(({ context }) => context.idempotencyKey);
    expect(keys).toEqual(['its own', 'its own', expect.any(String), keys[2]]);
    expect([keys[2] === 'its own', callee.added.times]).toEqual([false, times + 2]);
  });

  it('gets one refusal when both copies are refused', async () => {
    meet({ double: true });
    expect(await outcomeOf(client.refuse({}))).toBe('too-late');
    await settled();
    expect(arrived.length).toBe(2);
  });

  it('can be cancelled, and then never arrives', async () => {
    meet({ latencyMs: 100 });
    const cancellation = new Cancellation();
    const context = { requestId: 'r', caller: 'gateway', deadline: Date.now() + 60_000, cancellation };
    const given = outcomeOf(runInContext(context, () => client.add({ n: 1 })));
    cancellation.cancel();
    expect(await given).toBe('cancelled');
    expect(await outcomeOf(client.add({ n: 1 }, { timeoutMs }))).toBe('timeout');
    clock.advance(100);
    await settled();
    expect(arrived.length).toBe(0);
  });
});

describe('a fault', () => {
  const fails = async (caller = 'other') => (await outcomeOf(clientOf(caller).echo(x))) === 'internal';

  it('applies to a random share of the calls', async () => {
    meet({ error: 'internal', share: 0.25 });
    chance = 0.249;
    expect(await fails()).toBe(true);
    chance = 0.25;
    expect(await fails()).toBe(false);
    meet({ error: 'internal', share: 0 });
    chance = 0;
    expect(await fails()).toBe(false);
  });

  it('expires at its time', async () => {
    meet({ error: 'internal', until: clock.now() + 1_000 });
    clock.advance(999);
    expect(await fails()).toBe(true);
    clock.advance(1);
    expect([await fails(), faults.list()]).toEqual([false, []]);
  });

  it('applies only to its callers and operations', async () => {
    const edges: [caller: string, operation: string, met: boolean][] = [
      ['*', '*', true],
      ['other', '*', true],
      ['another', '*', false],
      ['*', 'sample.*', true],
      ['*', 'sampler.*', false],
      ['*', 'sample.echo', true],
      ['*', 'sample.ech', false],
      ['*', 'sample.strict', false],
      ['other', 'sample.echo', true],
      ['gateway', 'sample.echo', false],
      ['*', 'echo', false],
    ];
    for (const [caller, operation, met] of edges) {
      meet({ caller, operation, error: 'internal' });
      expect([caller, operation, await fails()]).toEqual([caller, operation, met]);
    }
  });

  it('takes precedence over later faults', async () => {
    meet({ operation: 'sample.strict', error: 'forbidden' }, { error: 'internal' }, { error: 'not-found' });
    expect(await fails()).toBe(true);
    expect(await outcomeOf(client.strict({ n: 1 }))).toBe('forbidden');
  });

  it("does not touch the kernel's own operations", async () => {
    meet({ error: 'internal', latencyMs: 1_000, lose: 'call' }, { operation: 'sample.*', double: true });
    const context = { requestId: 'r', caller: 'kernel', deadline: Date.now() + 5_000 };
    const ping = { operation: ofKernel('ping', 'sample'), input: {}, context };
    expect([await transport.call(ping), arrived]).toEqual([{}, [ping]]);
  });
});
