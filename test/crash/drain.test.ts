import { expect, it } from 'vitest';
import { deep } from '../harness/deep.ts';
import { eventually, type ModuleName, placements } from '../harness/kerf.ts';
import { type Order, type Page, Shop } from '../harness/shop.ts';
import type { OrderAnswers } from './rush.ts';
import { Scene } from './scene.ts';

const inFlight = 50;

async function answersWhatIsInFlight(out: readonly ModuleName[]): Promise<void> {
  const scene = new Scene({ ORDERS_CHECKOUT_SECONDS: '6', ...placements({ name: 'some out', out }) });
  const kerf = await scene.start();
  const email = 'buyer@example.com';
  const shop = await new Shop(kerf.url).join({ email });
  const keys = Array.from({ length: inFlight }, (_, index) => ({
    key: `order-${index}`,
    token: index % 2 ? 'tok_slow' : 'tok_hang',
  }));
  const answers = keys.map(({ key, token }) => shop.order('OIL', 1, { key, token }));
  const known = async () => (await shop.get<Page<Order>>('/orders?limit=100')).body.items.length === inFlight;
  await eventually(known, 'all orders in flight');

  // Half of the payments never finish, and all members wait longer than the stop may take.
  const askedAt = performance.now();
  expect(await kerf.stop()).toBe(0);
  expect(performance.now() - askedAt).toBeLessThan(10_000);
  const orderAnswers: OrderAnswers = new Map();
  for (const [index, answer] of (await Promise.all(answers)).entries()) {
    expect([201, 202]).toContain(answer.status);
    orderAnswers.set(keys[index]!.key, answer);
  }

  const after = await scene.start();
  await scene.endsWell(after, orderAnswers);
}

it('answers requests in flight before it exits on SIGTERM, with orders and payments out', () =>
  answersWhatIsInFlight(['orders', 'payments']));
it('answers requests in flight before it exits on SIGTERM, in one process', deep, () => answersWhatIsInFlight([]));
