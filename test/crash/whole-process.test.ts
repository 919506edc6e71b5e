import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { deep } from '../harness/deep.ts';
import { type Announced, eventually, type ModuleName, moduleNames, placements } from '../harness/kerf.ts';
import { Shop } from '../harness/shop.ts';
import { read } from './ledger.ts';
import { orderIdOf, resume, rush, wishes } from './rush.ts';
import { lives, Scene } from './scene.ts';

async function keepsEveryOrder(moment: number): Promise<void> {
  const scene = new Scene();
  const before = await scene.start();
  const { email, shop } = await signUp(before.url);
  const orders = wishes(100);
  const orderAnswers = await rush(shop, orders, {
    onAnswer: (count) => count === moment && before.process.kill('SIGKILL'),
  });
  expect(orderAnswers.size).toBeGreaterThanOrEqual(moment);
  expect(orderAnswers.size).toBeLessThan(100);
  await before.exited();

  const after = await scene.start();
  const back = await new Shop(after.url).signIn(email);
  for (const answer of orderAnswers.values()) {
    expect((await back.get(`/orders/${orderIdOf(answer)}`)).status).toBe(200);
  }
  await scene.settles(orderAnswers);
  const repeated = await rush(back, orders, { patient: true });
  for (const [key, answer] of orderAnswers) expect(orderIdOf(repeated.get(key)!)).toBe(orderIdOf(answer));
  await scene.endsWell(after, repeated);
}

const title = 'keeps every order when the process is killed at answer %i of 100';
it.each([50])(title, keepsEveryOrder);
it.each([1, 20, 90])(title, deep, keepsEveryOrder);

async function startsAtOnce(out: readonly ModuleName[], ...moments: number[]): Promise<void> {
  const scene = new Scene(placements({ name: 'out', out }));
  let kerf = await scene.start();
  const { email } = await signUp(kerf.url);
  for (const moment of moments) {
    const services = pidsOf(kerf.announced).filter((pid) => pid !== kerf.process.pid);
    expect(services).toHaveLength(out.length);
    const shop = await new Shop(kerf.url).signIn(email);
    const orders = wishes(100);
    const orderAnswers = await rush(shop, orders, {
      onAnswer: (count) => count === moment && kerf.process.kill('SIGKILL'),
    });
    kerf = await scene.start();
    await eventually(async () => !services.some(lives), 'the end of the module processes without a home process');
    const back = await new Shop(kerf.url).signIn(email);
    await resume(back, orders, orderAnswers);
    await scene.settles(orderAnswers);
  }
  await scene.endsWell(kerf);
}

const some = ['orders', 'inventory', 'payments', 'mail'];
it('ends its module processes when it is killed, and can restart immediately on the same data', () =>
  startsAtOnce(some, 40));
it('ends its module processes each time it is killed, and can restart immediately on the same data', deep, () =>
  startsAtOnce(moduleNames, 1, 40, 90),
);

it('leaves no module process when it is killed during their start', async () => {
  const out = moduleNames.filter((name) => name !== 'catalog');
  const scene = new Scene(placements({ name: 'all but one out', out }));
  const start = scene.start().catch((error: Error) => error.message);
  const first = async () => out.map((module) => ownerOf(scene, module)).find((pid) => pid !== undefined);
  process.kill(parentOf(await eventually(first, 'a module process')), 'SIGKILL');
  expect(await start).toMatch(/before it was ready/);
  const again = await scene.start();
  const owners = new Set(out.map((module) => ownerOf(scene, module)));
  expect(owners).toEqual(new Set(pidsOf(again.announced).filter((pid) => pid !== again.process.pid)));
  await scene.endsWell(again);
});

/** Returns the id of the process that runs a module on this data, from the module's table of instances. */
function ownerOf({ dataDir }: Scene, module: ModuleName): number | undefined {
  try {
    return read<{ pid: number }>(dataDir, module, 'select pid from kerf_instances order by since desc')[0]?.pid;
  } catch {
    return undefined;
  }
}

function parentOf(pid: number): number {
  return Number(spawnSync('ps', ['-o', 'ppid=', '-p', String(pid)], { encoding: 'utf8' }).stdout);
}

async function signUp(url: string): Promise<{ email: string; shop: Shop }> {
  const email = 'buyer@example.com';
  return { email, shop: await new Shop(url).join({ email, phone: '+82 10 1234 5678' }) };
}

function pidsOf({ modules }: Announced): number[] {
  return modules.flatMap(({ instances }) => instances.flatMap(({ pid }) => pid ?? []));
}
