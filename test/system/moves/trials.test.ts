import { expect, it } from 'vitest';
import { Scene } from '../../crash/scene.ts';
import { deep } from '../../harness/deep.ts';
import { SteadyLoad } from '../../harness/load.ts';
import { Operator } from '../../harness/operator.ts';
import { releaseThat } from '../../harness/release.ts';
import { Shop } from '../../harness/shop.ts';

interface Report {
  readonly steps: { step: string; other?: { calls: number; failures: number }; same?: number; different?: number }[];
}

const quick = { share: 0.2, stageMs: 300, leastCalls: 3, maxWaitMs: 60_000 };

async function open() {
  const scene = new Scene();
  const kerf = await scene.start();
  const operator = new Operator(kerf);
  const load = new SteadyLoad(await new Shop(kerf.url).join(), ['/orders', '/members/me', '/messages'], 80);
  await load.answers(10);
  const move = (module: string, order: object) =>
    operator.ask<Report & { detail: string }>('PUT', `/modules/${module}`, {
      placement: 'http',
      forNow: true,
      ...order,
    });
  return { scene, kerf, operator, load, move };
}

it('a canary increases its share to all calls when the new replicas are healthy', async () => {
  const { scene, kerf, load, move } = await open();
  // A high limit, so that a slow machine passes too.
  const { status, body } = await move('payments', { canary: { ...quick, maxSlowerMs: 60_000 } });
  expect([status, body.detail]).toEqual([200, undefined]);
  expect(body.steps.map(({ step }) => step)).toEqual([
    ...['preflight', 'start', 'contract', 'warm', 'try out', 'canary 20 %', 'canary 25 %', 'canary 50 %'],
    ...['move calls', 'drain', 'hand over', 'persist', 'close'],
  ]);
  for (const { other } of body.steps.slice(5, 8)) expect(other).toMatchObject({ failures: 0 });
  expect(await load.stop()).toEqual([]);
  await scene.endsWell(kerf, load.orderAnswers);
});

it('a canary rolls back without failed requests when the new replicas are slow', deep, async () => {
  const { scene, kerf, operator, load, move } = await open();
  // This release sleeps most of the time and uses no processor time.
  const slow = releaseThat(`
    const never = new Int32Array(new SharedArrayBuffer(4));
    setInterval(() => Atomics.wait(never, 0, 0, 200), 230);
  `);
  const { status, body } = await move('payments', {
    placement: `http?artifact=${slow}`,
    canary: { ...quick, share: 0.5, leastCalls: 20, maxWaitMs: 20_000 },
  });
  expect([status, body.detail]).toEqual([503, expect.stringContaining('the new replicas took')]);
  const { body: after } = await operator.ask<{ modules: { name: string; placement: string }[] }>('GET', '/topology');
  expect(after.modules.find(({ name }) => name === 'payments')).toMatchObject({ placement: 'in-process' });
  expect(await load.stop()).toEqual([]);
  await scene.endsWell(kerf, load.orderAnswers);
});

it('a mirror is refused for a module without queries, and skipped when it is not required', deep, async () => {
  const { scene, kerf, load, move } = await open();
  const mirror = { forMs: 1_000 };
  const { status, body } = await move('sms', { mirror });
  expect([status, body.detail]).toEqual([409, expect.stringContaining('there is nothing to mirror')]);
  const moved = await move('sms', { mirror: { ...mirror, required: false } });
  expect([moved.status, moved.body.steps[0]]).toMatchObject([200, { toMirror: { operations: [] } }]);
  expect(await load.stop()).toEqual([]);
  await scene.endsWell(kerf, load.orderAnswers);
});

it('a mirror lets the relocation continue when all answers are equal', deep, async () => {
  const { scene, kerf, load, move } = await open();
  const { body } = await move('members', { mirror: { forMs: 1_500 } });
  const mirror = body.steps.find(({ step }) => step === 'mirror');
  expect(mirror).toMatchObject({ different: 0 });
  expect(mirror?.same).toBeGreaterThan(0);
  expect(await load.stop()).toEqual([]);
  await scene.endsWell(kerf, load.orderAnswers);
});

it('a mirror rolls the relocation back when answers differ, and names the difference', async () => {
  const { scene, kerf, load, move } = await open();
  // This release puts another name into every answer.
  const other = releaseThat(`
    const parse = JSON.stringify;
    JSON.stringify = (value, ...rest) => parse(value, ...rest)?.replaceAll('"name":"Member"', '"name":"Mumber"');
  `);
  const { status, body } = await move('members', { placement: `http?artifact=${other}`, mirror: { forMs: 1_500 } });
  expect([status, body.detail]).toEqual([
    503,
    expect.stringMatching(/answers of the new replicas differ, first that of members\.\w+ at .*name/),
  ]);
  expect(await load.stop()).toEqual([]);
  await scene.endsWell(kerf, load.orderAnswers);
});
