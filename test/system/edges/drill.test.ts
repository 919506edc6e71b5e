import { expect, it } from 'vitest';
import { Operator } from '../../harness/operator.ts';

/** It has a system of its own, and asks none that runs. */
const drill = (...words: string[]) =>
  new Operator({ announced: { internal: 'http://127.0.0.1:1' }, dataDir: 'nowhere' } as never, 'no token').run(
    'drill',
    words,
  );

it('a drill shows that nothing fails while payments is down', { timeout: 60_000 }, async () => {
  const { code, stdout, stderr } = await drill('payments-down', '--seconds', '1', '--json');
  expect(stderr).toBe('');
  const verdict = JSON.parse(stdout);
  expect(verdict).toMatchObject({ drill: 'payments-down', faults: [], unsettled: 0 });
  const seen = verdict.phases.map(({ name, orders, posts, signUps }: Phase) => [
    ...[name, orders.failed, posts.failed, signUps.failed],
    orders.ok + orders.waiting > 0,
  ]);
  expect(seen).toEqual(['well', 'dead', 'slow', 'back'].map((name) => [name, 0, 0, 0, true]));
  expect(verdict.confirmedLater).toBeGreaterThan(0);
  expect(code).toBe(0);
});

type Counts = { ok: number; waiting: number; failed: number };
type Phase = { name: string } & Record<'orders' | 'posts' | 'signUps', Counts>;

it.concurrent.each([
  [[], 'say payments-down'],
  [['earthquake'], 'say payments-down'],
  [['toString'], 'say payments-down'],
  [['payments-down', 'twice'], 'unknown word "twice"'],
  [['payments-down', '--seconds', '0'], '--seconds takes 1 to 60'],
  [['payments-down', '--seconds', 'many'], '--seconds takes 1 to 60'],
  [['payments-down', '--seconds', ''], '--seconds takes 1 to 60'],
  [['payments-down', '--seconds', '--json'], "'--seconds'"],
  [['payments-down', '--minutes', '1'], "'--minutes'"],
])('a drill is not begun with the words %j', async (words, about) => {
  const { code, stdout, stderr } = await drill(...words);
  expect([code, stdout]).toEqual([1, '']);
  expect(stderr).toMatch(/^kerf: [^\n]+\n$/);
  expect(stderr).toContain(about);
});
