import { expect, it } from 'vitest';
import { deep } from '../harness/deep.ts';
import { eventually, type ModuleName, placements } from '../harness/kerf.ts';
import { Shop } from '../harness/shop.ts';
import { rush, wishes } from './rush.ts';
import { killModule, Scene } from './scene.ts';

const others: ModuleName[] = ['orders', 'inventory', 'notifications', 'mail'];
const moments = [5, 40, 80];

async function losesNothing(victim: ModuleName): Promise<void> {
  const scene = new Scene(placements({ name: `${victim} out`, out: [victim] }));
  const kerf = await scene.start();
  const first = await kerf.pidOf(victim);
  const shop = await new Shop(kerf.url).join({ phone: '+82 10 1234 5678' });
  const orders = wishes(100);
  const onAnswer = (count: number) => void (moments.includes(count) && killModule(kerf, victim));
  const orderAnswers = await rush(shop, orders, { onAnswer, patient: true });

  const now = await eventually(async () => (await kerf.pidOf(victim)) ?? undefined, `${victim} to be back`);
  expect(now).not.toBe(first);
  expect(kerf.process.exitCode).toBeNull();
  await scene.endsWell(kerf, orderAnswers);
}

const name = 'loses nothing when the process of %s is killed again and again';
it.each(['payments'])(name, losesNothing);
it.each(others)(name, deep, losesNothing);
