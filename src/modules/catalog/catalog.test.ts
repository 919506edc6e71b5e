import { testModule } from 'kerf/testing';
import { expect, it } from 'vitest';
import catalog from './module.ts';

const plane = {
  sku: 'PLANE-SCRUB',
  name: 'Scrub plane',
  description: 'Coarse',
  price: { amount: 900, currency: 'KRW' },
};

it('keeps the product that was put last, and tells of each change', async () => {
  const shop = await testModule(catalog);
  await shop.put(plane);
  const changed = await shop.put({ ...plane, description: 'Very coarse' });
  expect(await shop.find({ skus: [plane.sku, 'UNKNOWN'] })).toEqual({ products: [changed] });
  expect(shop.published(shop.events.productChanged)).toEqual([plane, changed]);
});

it('finds the products with all words in their name or description, page by page', async () => {
  const shop = await testModule(catalog);
  const first = await shop.search({ words: 'BEVEL edge', limit: 2 });
  const second = await shop.search({ words: 'BEVEL edge', limit: 2, cursor: first.next! });
  const found = [...first.items, ...second.items].map(({ sku }) => sku);
  expect([found, second.next]).toEqual([['CHISEL-06', 'CHISEL-12', 'CHISEL-25'], null]);
});

it('takes the wildcards of SQL in the words for what they are', async () => {
  const shop = await testModule(catalog);
  expect(await shop.search({ words: '%' })).toMatchObject({ items: [] });
});
