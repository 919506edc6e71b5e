import { expect, it } from 'vitest';
import { z } from 'zod';
import { type CallRequest, ofKernel } from '../../kernel/calls/index.ts';
import type { CallContext } from '../../kernel/context/index.ts';
import type { Operation } from '../../kernel/contract/index.ts';
import { refusal } from '../../kernel/errors/index.ts';
import type { Upstream } from '../routing/index.ts';
import { CallStatistics } from './call-statistics.ts';
import type { Journal } from './journal.ts';
import { TrafficSplit, warmUp } from './traffic-split.ts';

const find = {
  module: 'payments',
  name: 'find',
  kind: 'query',
  summary: '',
  input: z.any(),
  output: z.any(),
} as Operation;
const pay = { ...find, name: 'pay', kind: 'command' } as Operation;

function opened(answers: { before?: () => unknown; other?: () => unknown } = {}) {
  const asked = { before: 0, other: 0 };
  const way = (side: 'before' | 'other') => ({
    async call() {
      asked[side] += 1;
      return answers[side]?.() ?? side;
    },
  });
  const split = new TrafficSplit(way('before'), way('other') as unknown as Upstream);
  const call = (operation: Operation, context: Partial<CallContext> = {}) =>
    split.call({
      operation,
      input: {},
      context: { requestId: 'r', caller: 'orders', deadline: 1e15, ...context },
    } as CallRequest);
  /** Whether a call goes to the other replicas. */
  const sends = async (operation: Operation, context: Partial<CallContext>) => {
    const before = asked.other;
    await call(operation, context);
    return asked.other > before;
  };
  return { split, call, asked, sends };
}

const uuidOf = (n: number) => `0192f0c1-0000-7000-8000-${String(n).padStart(12, '0')}`;

it('sends no calls at first, and then about its share', async () => {
  const { split, call, asked } = opened();
  for (let n = 0; n < 1_000; n++) await call(pay, { requestId: String(n) });
  expect(asked).toEqual({ before: 1_000, other: 0 });
  split.share = 0.25;
  for (let n = 0; n < 1_000; n++) await call(pay, { requestId: String(n) });
  expect(asked.other).toBeGreaterThan(180);
  expect(asked.other).toBeLessThan(320);
});

it('sends related calls to the same replicas: all steps of a saga, all calls of a member', async () => {
  const { split, sends } = opened();
  split.share = 0.5;
  const sides = new Set<boolean>();
  for (let n = 0; n < 50; n++) {
    const steps = ['reserve', 'authorize', 'authorize/undo', 'capture'];
    const keys = steps.map((step) => `checkout/${uuidOf(n)}/${step}`);
    const sent: boolean[] = [];
    for (const idempotencyKey of keys) sent.push(await sends(pay, { idempotencyKey }));
    expect(new Set(sent).size).toBe(1);
    sides.add(sent[0]!);
    const asked = [
      await sends(find, { requestId: 'a', member: `m${n}` }),
      await sends(find, { requestId: 'b', member: `m${n}` }),
    ];
    expect(new Set(asked).size).toBe(1);
  }
  expect(sides.size).toBe(2);
});

it('keeps its selection when the share grows, and selects only public requests among kernel calls', async () => {
  const { split, sends } = opened();
  const sent = async (share: number) => {
    split.share = share;
    const found: number[] = [];
    for (let n = 0; n < 200; n++) if (await sends(pay, { requestId: String(n) })) found.push(n);
    return found;
  };
  const [few, more] = [await sent(0.1), await sent(0.5)];
  expect(few.every((n) => more.includes(n))).toBe(true);
  split.share = 1;
  const sendsKernel = (name: Parameters<typeof ofKernel>[0], idempotencyKey?: string) =>
    sends(ofKernel(name, 'payments'), { idempotencyKey });
  for (const name of ['ping', 'receive', 'operate'] as const) expect(await sendsKernel(name, 'key')).toBe(false);
  const asked = [await sendsKernel('read'), await sendsKernel('write', 'key'), await sendsKernel('write')];
  expect(asked).toEqual([true, true, false]);
});

it('limits its calls in flight, and sends the others to the current replicas', async () => {
  const answers: ((value: string) => void)[] = [];
  const { split, call, asked } = opened({ other: () => new Promise((resolve) => answers.push(resolve)) });
  split.share = 1;
  split.atOnce = 2;
  const calls = Array.from({ length: 5 }, () => call(pay));
  await expect.poll(() => asked).toEqual({ before: 3, other: 2 });
  for (const answer of answers) answer('other');
  expect(await Promise.all(calls)).toEqual(['other', 'other', 'before', 'before', 'before']);
  void call(pay);
  await expect.poll(() => asked).toEqual({ before: 3, other: 3 });
});

it('falls back to the current replicas with the same key when the new ones cannot be reached', async () => {
  const keys: (string | undefined)[] = [];
  const way = (fails: boolean) => ({
    async call({ context }: CallRequest) {
      keys.push(context.idempotencyKey);
      if (fails) throw refusal('unavailable', 'gone');
      return 'done';
    },
  });
  const split = new TrafficSplit(way(false), way(true) as unknown as Upstream);
  split.share = 1;
  const context = { requestId: 'r', caller: 'orders', deadline: 1e15 };
  expect(await split.call({ operation: pay, input: {}, context })).toBe('done');
  expect(keys).toEqual([expect.any(String), keys[0]]);
  expect(split.candidate.counts).toMatchObject({ calls: 1, failures: 1 });
});

it('does not send calls that could not be repeated at the current replicas', async () => {
  const { split, call, asked } = opened({
    other() {
      throw refusal('unavailable', 'cut off');
    },
  });
  split.share = 1;
  const [read, write] = [ofKernel('read', 'payments'), ofKernel('write', 'payments')];
  expect([await call(read), await call(write), await call(write, { idempotencyKey: 'own' })]).toEqual([
    ...['before', 'before', 'before'],
  ]);
  expect(asked).toEqual({ before: 3, other: 2 });
});

it('counts failures, but not declared refusals', async () => {
  const errors = [refusal('unavailable', ''), refusal('not-found', ''), new Error('broken'), refusal('timeout', '')];
  const { split, call } = opened({
    before() {
      throw errors.shift();
    },
  });
  for (let n = 0; n < 4; n++) await call(pay).catch(() => {});
  expect(split.current.counts).toMatchObject({ calls: 4, failures: 3 });
  split.recount();
  expect(split.current.counts).toEqual({ calls: 0, failures: 0 });
});

/** Resolves with the number of calls at each level of concurrency. Runs `called` at every pause of the warm-up. */
async function warmed(called: (split: TrafficSplit) => void): Promise<Map<number, number>> {
  const split = { share: 0.05, atOnce: 0, candidate: new CallStatistics() } as TrafficSplit;
  const seen = new Map<number, number>();
  const pause = async () => {
    const before = split.candidate.counted;
    called(split);
    seen.set(split.atOnce, (seen.get(split.atOnce) ?? 0) + split.candidate.counted - before);
  };
  await warmUp({ pause } as unknown as Journal, split);
  expect(split.share).toBe(0.05);
  return seen;
}

it('warms up a new process with one call at a time, then with more', async () => {
  const seen = await warmed((split) => split.candidate.add(1, false));
  expect([...seen]).toEqual([
    [1, 8],
    [2, 16],
    [4, 48],
  ]);
});

it('ends the warm-up when no more calls arrive', async () => {
  let left = 3;
  const seen = await warmed((split) => {
    if (left-- > 0) split.candidate.add(1, false);
  });
  expect([...seen]).toEqual([[1, 3]]);
});

it('reports each answered query of the current replicas, and no command', async () => {
  const { split, call } = opened();
  const answers: unknown[] = [];
  split.onAnswer = ({ operation: { name } }, _way, answer) => answers.push([name, answer]);
  await call(pay);
  await call(find);
  await expect.poll(() => answers).toEqual([['find', 'before']]);
});
