import { beforeEach, describe, expect, it } from 'vitest';
import { isNotSent } from '../../kernel/calls/index.ts';
import { ManualClock } from '../../kernel/context/index.ts';
import { isRefusal } from '../../kernel/errors/index.ts';
import type { BrokerSession, Outbound } from '../../kernel/ports/index.ts';
import { doubt, OpenCalls } from './open-calls.ts';

describe('calls without an answer for long', () => {
  const ended = Promise.withResolvers<unknown>();
  let clock: ManualClock;
  let calls: OpenCalls;
  let sent: Outbound[];
  let outcomes: Record<string, unknown>;

  beforeEach(() => {
    clock = new ManualClock();
    calls = new OpenCalls('process', clock);
    sent = [];
    outcomes = {};
    const session = { send: (message: Outbound) => void sent.push(message), ended: ended.promise };
    calls.begin(session as unknown as BrokerSession);
  });

  function call(module: string): string {
    const settle = (outcome: unknown) => {
      outcomes[id] = outcome;
    };
    calls.send(Buffer.from('{}'), 60_000, { from: calls, module, token: 't', resolve: settle, reject: settle });
    const { id } = sent.at(-1)!;
    return id;
  }

  const asked = () => sent.filter(({ to }) => to === 'all').map(({ id, body }) => [id, JSON.parse(body.toString())]);

  it('are checked module by module, and count as lost when no instance has them', () => {
    const [kept, lost, other] = [call('orders'), call('orders'), call('mail')];
    clock.advance(doubt.afterMs);
    expect(asked()).toEqual([
      ['ask:orders', { ask: [kept, lost] }],
      ['ask:mail', { ask: [other] }],
    ]);
    for (let heard = 0; heard < doubt.lostAfterMs; heard += doubt.afterMs) {
      calls.answered('ask:orders', { have: [kept] });
      calls.answered('ask:mail', { have: [other, 'what is this', 7] });
      clock.advance(doubt.afterMs);
    }
    expect(Object.keys(outcomes)).toEqual([lost]);
    expect([isRefusal(outcomes[lost], 'unavailable'), isNotSent(outcomes[lost])]).toEqual([true, false]);
    calls.answered(kept, { output: 'at last' });
    expect(outcomes[kept]).toBe('at last');
  });

  it('count as lost immediately when no instance is there', () => {
    const [first, other] = [call('orders'), call('mail')];
    clock.advance(doubt.afterMs);
    const young = call('orders');
    calls.nobody('ask:orders');
    expect(isRefusal(outcomes[first], 'unavailable')).toBe(true);
    expect([outcomes[other], outcomes[young]]).toEqual([undefined, undefined]);
  });

  it('are not checked after an answer or a cancellation', () => {
    calls.answered(call('orders'), { output: 1 });
    const cancel = calls.send(Buffer.from('{}'), 1, {
      from: calls,
      module: 'm',
      token: 't',
      resolve() {},
      reject() {},
    });
    cancel();
    expect(asked()).toEqual([['cancel', { cancel: 'process-2' }]]);
    clock.advance(10 * doubt.afterMs);
    expect(asked().length).toBe(1);
  });

  it('are refused when the answer is malformed, and answers to unknown calls are ignored', () => {
    for (const content of [undefined, 'text', 7, null]) {
      const id = call('orders');
      calls.answered(id, content);
      expect(isRefusal(outcomes[id], 'unavailable')).toBe(true);
    }
    calls.answered('unknown', { output: 1 });
    calls.answered('unknown', { have: 'nonsense' });
    calls.nobody('unknown');
  });

  it('are refused when the session ends, like all later calls', async () => {
    const id = call('orders');
    ended.resolve(new Error('cut'));
    await ended.promise;
    const after: unknown[] = [];
    const reject = (error: unknown) => after.push(error);
    calls.send(Buffer.from('{}'), 1, { from: calls, module: 'orders', token: 't', resolve() {}, reject });
    expect([outcomes[id], after[0]].map((error) => [isRefusal(error, 'unavailable'), isNotSent(error)])).toEqual([
      [true, false],
      [true, true],
    ]);
  });
});
