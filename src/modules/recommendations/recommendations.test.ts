import { newId } from 'kerf/context';
import { testModule } from 'kerf/testing';
import { expect, it } from 'vitest';
import { orders } from '../orders/contract.ts';
import recommendations from './module.ts';

const orderOf = (...skus: string[]) => ({
  ...{ orderId: newId(), memberId: newId(), total: { amount: 1, currency: 'KRW' } },
  lines: skus.map((sku) => ({ sku, quantity: 1 })),
});

it('recommends what was bought together, the most often first', async () => {
  const advice = await testModule(recommendations);
  await advice.when(orders.events.confirmed, orderOf('SAW', 'OIL'));
  await advice.when(orders.events.confirmed, orderOf('SAW', 'WAX'));
  await advice.when(orders.events.confirmed, orderOf('SAW', 'WAX', 'WAX'));
  const items = [
    { sku: 'WAX', score: 2 },
    { sku: 'OIL', score: 1 },
  ];
  expect(await advice.boughtTogether({ skus: ['SAW'] })).toEqual({ items });
  expect(await advice.boughtTogether({ skus: [] })).toEqual({ items: [] });
});

it('counts an order once, however often its event arrives', async () => {
  const advice = await testModule(recommendations);
  const order = orderOf('SAW', 'OIL');
  for (const id of ['event 1', 'event 1']) await advice.when(orders.events.confirmed, order, { id });
  expect(await advice.boughtTogether({ skus: ['SAW'] })).toEqual({ items: [{ sku: 'OIL', score: 1 }] });
});
