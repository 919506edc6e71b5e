import { beforeEach, describe, expect, it } from 'vitest';
import { Cancellation, currentContext, ManualClock, runInContext } from '../../../kernel/context/index.ts';
import { Admission } from './admission.ts';
import { Bulkhead } from './bulkhead.ts';
import type { Gate } from './gate.ts';

const what = { module: 'payments', name: 'authorize' };
let clock: ManualClock;
let log: string[];
beforeEach(() => {
  clock = new ManualClock();
  log = [];
});

/** Sends a call through the gate that ends on demand. Logs its start and its outcome. */
function send(
  gate: Gate,
  name: string,
  { leftMs = 5_000, cancellation }: { leftMs?: number; cancellation?: Cancellation } = {},
) {
  const work = Promise.withResolvers<void>();
  const task = () => {
    log.push(`${name} begins`);
    return work.promise;
  };
  gate.run(task, { deadline: clock.now() + leftMs, cancellation, what }).then(
    () => log.push(`${name} ends`),
    (error) => log.push(`${name}: ${error.code ?? error.message}`),
  );
  return work;
}

/** Waits until the handlers of all settled promises have run. */
const settled = () => new Promise(setImmediate);

describe.each([
  ['bulkhead', () => new Bulkhead({ concurrency: 2, queue: 3 }, clock)],
  ['admission', () => new Admission({ concurrency: 2, clock })],
])('the gate of a %s', (_name, gateOf) => {
  let gate: Gate;
  beforeEach(() => {
    gate = gateOf();
  });

  it('starts tasks immediately up to its limit, then first in, first out', async () => {
    const a = send(gate, 'a');
    send(gate, 'b');
    expect(log).toEqual(['a begins', 'b begins']);
    const c = send(gate, 'c');
    send(gate, 'd');
    expect([gate.running, gate.waiting]).toEqual([2, 2]);
    a.resolve();
    await settled();
    c.resolve();
    await settled();
    expect(log.slice(2).filter((line) => line.endsWith('begins'))).toEqual(['c begins', 'd begins']);
    expect([gate.running, gate.waiting]).toEqual([2, 0]);
  });

  it('lets no new task overtake a waiting task', async () => {
    const a = send(gate, 'a');
    send(gate, 'b');
    send(gate, 'c');
    a.resolve();
    for (let turn = 0; turn < 5; turn++) {
      send(gate, `newcomer ${turn}`);
      await null;
    }
    await settled();
    expect(log.filter((line) => line.endsWith('begins'))).toEqual(['a begins', 'b begins', 'c begins']);
  });

  it('frees exactly one slot, however a task ends', async () => {
    const ticket = { deadline: clock.now() + 5_000, what };
    const throwsAtOnce = () => {
      throw new Error('at once');
    };
    const tasks = [throwsAtOnce, () => Promise.reject(new Error('later')), () => undefined, async () => 3];
    const answers = await Promise.allSettled(tasks.map((task) => gate.run(task as () => Promise<unknown>, ticket)));
    expect(answers.map((each) => (each.status === 'fulfilled' ? each.value : each.reason.message))).toEqual([
      ...['at once', 'later', undefined, 3],
    ]);
    expect([gate.running, gate.waiting]).toEqual([0, 0]);
  });

  it('refuses a waiting task at its deadline, at any position in the queue', async () => {
    const [a] = [send(gate, 'a'), send(gate, 'b')];
    send(gate, 'c', { leftMs: 300 });
    send(gate, 'd', { leftMs: 100 });
    clock.advance(100);
    await settled();
    expect([log.slice(2), gate.waiting]).toEqual([['d: timeout'], 1]);
    clock.advance(200);
    await settled();
    a.resolve();
    await settled();
    expect([log.slice(3), gate.running, gate.waiting]).toEqual([['c: timeout', 'a ends'], 1, 0]);
  });

  it('does not start a task after its deadline, also before the timer fires', async () => {
    const [a] = [send(gate, 'a'), send(gate, 'b')];
    send(gate, 'c', { leftMs: 100 });
    send(gate, 'd', { leftMs: 102 });
    clock.advance(102);
    expect(gate.waiting).toBe(1);
    a.resolve();
    await settled();
    expect(log.slice(2).sort()).toEqual(['a ends', 'c: timeout', 'd: timeout']);
  });

  it('refuses a cancelled task immediately, and ignores the cancellation of a started task', async () => {
    const [leaves, stays] = [new Cancellation(), new Cancellation()];
    const a = send(gate, 'a');
    send(gate, 'b');
    send(gate, 'c', { cancellation: leaves });
    const d = send(gate, 'd', { cancellation: stays });
    leaves.cancel();
    expect(gate.waiting).toBe(1);
    a.resolve();
    await settled();
    stays.cancel();
    d.resolve();
    await settled();
    expect(log.slice(2)).toEqual(['c: cancelled', 'd begins', 'a ends', 'd ends']);
  });

  it('does not start a task that is already late or cancelled', async () => {
    const cancellation = new Cancellation();
    cancellation.cancel();
    send(gate, 'late', { leftMs: 0 });
    send(gate, 'cancelled', { cancellation });
    await settled();
    expect([log, gate.running]).toEqual([['late: timeout', 'cancelled: cancelled'], 0]);
  });

  it('runs a waiting task in the context of its call', async () => {
    const [a] = [send(gate, 'a'), send(gate, 'b')];
    const context = { requestId: 'mine', caller: 'orders', deadline: clock.now() + 5_000 };
    const asked = runInContext(context, () => gate.run(async () => currentContext()?.requestId, { ...context, what }));
    a.resolve();
    expect(await asked).toBe('mine');
  });
});

it('a bulkhead refuses calls beyond its queue, and names the limits of the module', async () => {
  const bulkhead = new Bulkhead({ concurrency: 2, queue: 3 }, clock);
  for (const name of ['a', 'b', 'c', 'd', 'e']) send(bulkhead, name);
  await expect(bulkhead.run(async () => {}, { deadline: clock.now() + 5_000, what })).rejects.toMatchObject({
    code: 'overloaded',
    message: `payments.authorize was not called: 2 calls of payments are in flight and 3 wait, the most that its policies allow`,
  });
});

it('an admission refuses a call with less remaining time than the queue needs, and says when to retry', async () => {
  const admission = new Admission({ concurrency: 1, clock });
  const a = send(admission, 'a');
  for (let each = 0; each < 50; each++) send(admission, `waits ${each}`);
  clock.advance(2_100);
  send(admission, 'has time', { leftMs: 2_100 });
  expect(admission.waiting).toBe(51);
  await expect(admission.run(async () => {}, { deadline: clock.now() + 2_000, what })).rejects.toMatchObject({
    code: 'overloaded',
    message: 'payments.authorize was not begun: calls wait for 2100 ms, and it has 2000 ms left',
    data: { retryAfter: 3 },
  });
  a.resolve();
  await settled();
  expect(admission.waiting).toBe(50);
});

it('an admission limits its queue, however much time the calls have', async () => {
  const admission = new Admission({ concurrency: 1, longest: 3, clock });
  const a = send(admission, 'a');
  for (const each of ['b', 'c', 'd']) send(admission, each);
  await expect(admission.run(async () => {}, { deadline: clock.now() + 5_000, what })).rejects.toMatchObject({
    code: 'overloaded',
    message: 'payments.authorize was not begun: 3 calls wait already, the most that may',
    data: { retryAfter: 1 },
  });
  a.resolve();
  await settled();
  send(admission, 'e');
  expect(admission.waiting).toBe(3);
});
