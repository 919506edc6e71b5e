import { expect, it } from 'vitest';
import { Kerf } from './harness/kerf.ts';
import { Shop } from './harness/shop.ts';

it('starts, serves an order and stops', async () => {
  const kerf = await Kerf.start();
  const shop = await new Shop(kerf.url).join();
  expect((await shop.order('WAX')).status).toBe(201);
  expect(await kerf.stop()).toBe(0);
});
