import { randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import { type CallContext, Cancellation, runInContext } from '../context/index.ts';
import type { Client } from '../contract/index.ts';
import { isRefusal } from '../errors/index.ts';
import { callee, type sample } from './sample.cases.ts';

/** The caller's side of a transport under test. */
export interface Ends {
  readonly client: Client<typeof sample>;
  clientOf(caller: string): Client<typeof sample>;
}

/** Resolves with the refusal code of a call, or with its other outcome. */
export function outcomeOf(call: Promise<unknown>): Promise<unknown> {
  return call.then(
    (answer) => answer,
    (error: unknown) => (isRefusal(error) ? error.code : error),
  );
}

function contextWith(parts: Partial<CallContext> = {}): CallContext {
  return { requestId: 'r', caller: 'gateway', deadline: Date.now() + 60_000, ...parts };
}

/** Returns whether a promise settles within one turn of the event loop. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  promise.finally(() => {
    settled = true;
  });
  await new Promise(setImmediate);
  return settled;
}

export function deadlineCases({ client, clientOf }: Ends): void {
  it('times out at the deadline of the operation, of the call, and of the caller', async () => {
    callee.gate.shut();
    const soon = contextWith({ deadline: Date.now() + 30 });
    const attempts = [
      client.never({}),
      client.when({}, { timeoutMs: 30 }),
      runInContext(soon, () => client.when({})),
      runInContext(soon, () => client.when({}, { timeoutMs: 4_000 })),
      runInContext(contextWith({ deadline: Date.now() - 1 }), () => client.echo({ text: 'late' })),
    ];
    expect(await Promise.all(attempts.map(outcomeOf))).toEqual(Array(5).fill('timeout'));
    callee.gate.open();
  });

  it('sends the remaining time to the callee', async () => {
    const { ms } = await runInContext(contextWith({ deadline: Date.now() + 1_000 }), () => client.timeLeft({}));
    expect(ms).toBeGreaterThan(0);
    expect(ms).toBeLessThanOrEqual(1_001);
    expect((await client.timeLeft({}, { timeoutMs: 300 })).ms).toBeLessThanOrEqual(301);
  });

  it('cancels the callee at the deadline', async () => {
    const id = randomUUID();
    expect(await outcomeOf(client.hold({ id }, { timeoutMs: 100 }))).toBe('timeout');
    await callee.hanging.told(id);
  });

  it('cancels child calls together with their parent', async () => {
    const id = randomUUID();
    expect(await outcomeOf(clientOf('gateway').relay({ id }, { timeoutMs: 100 }))).toBe('timeout');
    await callee.hanging.told(id);
  });
}

/** The triggers that cancel a call. Each makes a call and returns a function that cancels it. */
const cancellationTriggers = {
  'by the signal of the call': (call: Make, member?: string) => {
    const controller = new AbortController();
    const context = contextWith({ member });
    return { answer: runInContext(context, call, { signal: controller.signal }), cancel: () => controller.abort() };
  },
  'because its parent call was cancelled': (call: Make, member?: string) => {
    const cancellation = new Cancellation();
    const context = contextWith({ member, cancellation });
    return { answer: runInContext(context, call), cancel: () => cancellation.cancel() };
  },
};
type Make = (options?: { signal: AbortSignal }) => Promise<unknown>;

export function cancellationCases({ client, clientOf }: Ends): void {
  for (const [trigger, begin] of Object.entries(cancellationTriggers)) {
    it(`is cancelled immediately ${trigger}, and cancels the callee`, async () => {
      const id = randomUUID();
      const { answer, cancel } = begin((options) => client.hold({ id }, options));
      const outcome = outcomeOf(answer);
      await callee.hanging.begun(id);
      cancel();
      expect([await isSettled(outcome), await outcome]).toEqual([true, 'cancelled']);
      await callee.hanging.told(id);
    });

    it(`cancels its child calls ${trigger}`, async () => {
      const id = randomUUID();
      const { answer, cancel } = begin((options) => clientOf('gateway').relay({ id }, options));
      const outcome = outcomeOf(answer);
      await callee.hanging.begun(id);
      cancel();
      await callee.hanging.told(id);
      expect(await outcome).toBe('cancelled');
    });

    it(`can be cancelled ${trigger} immediately after it starts, for known and unknown members`, async () => {
      const known = randomUUID();
      await runInContext(contextWith({ member: known }), () => client.echo({ text: 'before' }));
      for (const member of [undefined, known, randomUUID()]) {
        const id = randomUUID();
        const { answer, cancel } = begin((options) => client.hold({ id }, options), member);
        cancel();
        expect(await outcomeOf(answer)).toBe('cancelled');
        expect(await client.echo({ text: 'after' })).toEqual({ text: 'after' });
        await callee.hanging.none();
      }
    });
  }

  it('is not sent when it is already cancelled', async () => {
    const cancellation = new Cancellation();
    cancellation.cancel();
    const times = callee.added.times;
    const signal = AbortSignal.abort();
    expect(await outcomeOf(client.add({ n: 1 }, { signal }))).toBe('cancelled');
    const late = () => client.add({ n: 1 });
    expect(await outcomeOf(runInContext(contextWith({ cancellation }), late))).toBe('cancelled');
    expect(callee.added.times).toBe(times);
  });

  it('ignores a cancellation after the answer', async () => {
    const controller = new AbortController();
    expect(await client.echo({ text: 'x' }, { signal: controller.signal })).toEqual({ text: 'x' });
    controller.abort();
    expect(await client.echo({ text: 'y' })).toEqual({ text: 'y' });
  });

  it('leaves nothing of two hundred calls cancelled at once', async () => {
    const cancellation = new Cancellation();
    const ids = Array.from({ length: 200 }, () => randomUUID());
    const calls = runInContext(contextWith({ cancellation }), () => ids.map((id) => outcomeOf(client.hold({ id }))));
    await Promise.all(ids.map((id) => callee.hanging.begun(id)));
    cancellation.cancel();
    expect(new Set(await Promise.all(calls))).toEqual(new Set(['cancelled']));
    await callee.hanging.none();
    expect(callee.hanging.open).toBe(0);
    expect(await client.echo({ text: 'after' })).toEqual({ text: 'after' });
  });
}
