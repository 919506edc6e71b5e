import { expect, it } from 'vitest';
import { Shop } from '../harness/shop.ts';
import { rush, wishes } from './rush.ts';
import { Scene } from './scene.ts';

const email = 'buyer@example.com';
const phone = '+82 10 1234 5678';

it('shares its data with another process, and continues alone after that process is killed', async () => {
  const scene = new Scene();
  const one = await scene.start();
  const two = await scene.start();
  const shopOne = await new Shop(one.url).join({ email, phone });
  const shopTwo = await new Shop(two.url).signIn(email);
  const orders = wishes(100);
  const [first, second] = [orders.slice(0, 50), orders.slice(50)];
  const [toldFirst, toldSecond] = await Promise.all([
    rush(shopOne, first, { onAnswer: (count) => count === 20 && one.process.kill('SIGKILL') }),
    rush(shopTwo, second, { patient: true }),
  ]);
  expect(toldFirst.size).toBeLessThan(50);
  expect(toldSecond.size).toBe(50);
  const repeated = await rush(shopTwo, first, { patient: true });
  for (const [key, answer] of toldFirst) expect(repeated.get(key)!.body.id).toBe(answer.body.id);
  await scene.endsWell(two, new Map([...repeated, ...toldSecond]));
});

it('transfers leadership when it stops cleanly', async () => {
  const scene = new Scene();
  const one = await scene.start();
  const two = await scene.start();
  const shop = await new Shop(two.url).join({ email, phone });
  const before = await rush(shop, wishes(20), { patient: true });
  expect(await one.stop()).toBe(0);
  const after = await rush(shop, wishes(20), { patient: true });
  await scene.endsWell(two, new Map([...before, ...after]));
});
