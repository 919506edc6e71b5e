import { expect, it } from 'vitest';
import { deep } from '../../harness/deep.ts';
import { Operator } from '../../harness/operator.ts';

/** A drill starts its own system and calls no running one. */
const operator = new Operator({ announced: { internal: 'http://127.0.0.1:1' }, dataDir: 'nowhere' } as never, 'none');
const drill = (...words: string[]) => operator.run('drill', words);

it('a drill reports no failures while payments is down', async () => {
  const { code, stdout, stderr } = await drill('payments-down', '--seconds', '1', '--json');
  expect(stderr).toBe('');
  const { drill: name, layouts } = JSON.parse(stdout);
  expect([name, layouts.length]).toEqual(['payments-down', 1]);
  const [verdict] = layouts;
  expect(verdict).toMatchObject({ layout: 'out', lives: true, broken: [], unsettled: 0 });
  const seen = verdict.phases.map(({ name, orders, posts, signUps }: Phase) => [
    ...[name, orders.failed, posts.failed, signUps.failed],
    orders.ok + orders.waiting > 0,
  ]);
  expect(seen).toEqual(['well', 'dead', 'slow', 'back'].map((name) => [name, 0, 0, 0, true]));
  expect(verdict.confirmedLater).toBeGreaterThan(0);
  expect(code).toBe(0);
});

/** Observes the home process and the board while payments is sick. The board does not use payments. */
async function takesEverythingDown(name: string, lives: boolean): Promise<void> {
  const { code, stdout } = await drill(name, '--seconds', '2', '--json');
  const { layouts } = JSON.parse(stdout) as { layouts: Layout[] };
  const [inside, out] = layouts as [Layout, Layout];
  expect([inside.layout, inside.lives, inside.broken]).toEqual(['inside', lives, []]);
  const sick = (layout: Layout) => layout.phases.find((phase) => phase.name === 'sick')!;
  if (lives) expect(sick(inside).posts.p50Ms).toBeGreaterThan(10 * sick(out).posts.p50Ms);
  else expect(sick(inside).posts.failed).toBeGreaterThan(0);
  expect([out.layout, out.lives, out.broken, out.unsettled]).toEqual(['out', true, [], 0]);
  expect(out.phases.map(({ posts, signUps }) => posts.failed + signUps.failed)).toEqual([0, 0, 0]);
  expect(code).toBe(0);
}

const title = 'a drill reports that a %s in payments affects the whole process, but only payments after extraction';
it.each([['crash', false] as const])(title, takesEverythingDown);
it.each([['leak', false] as const, ['block', true] as const])(title, deep, takesEverythingDown);

interface Layout {
  readonly layout: string;
  readonly lives: boolean;
  readonly broken: string[];
  readonly unsettled?: number;
  readonly phases: Phase[];
}
type Counts = { ok: number; waiting: number; failed: number; p50Ms: number };
type Phase = { name: string } & Record<'orders' | 'posts' | 'signUps', Counts>;

it.each([
  [[], 'missing <name>: the drill'],
  [['earthquake'], 'it is one of payments-down, leak'],
  [['toString'], 'it is one of payments-down, leak'],
  [['payments-down', 'twice'], 'unknown word "twice"'],
  [['payments-down', '--seconds', '0'], '--seconds must be a number from 1 to 60'],
  [['payments-down', '--seconds', 'many'], '--seconds must be a number from 1 to 60'],
  [['payments-down', '--seconds', ''], "'--seconds <seconds>' needs its value"],
  [['payments-down', '--seconds', '--json'], "'--seconds <seconds>' needs its value"],
  [['payments-down', '--minutes', '1'], "'--minutes'"],
])('a drill rejects the arguments %j', async (words, about) => {
  const { code, stdout, stderr } = await operator.runInHost('drill', words);
  expect([code, stdout]).toEqual([2, '']);
  expect(stderr).toMatch(/^kerf: [^\n]+\n$/);
  expect(stderr).toContain(about);
});
