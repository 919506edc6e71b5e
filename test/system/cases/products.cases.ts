import { expect, it } from 'vitest';
import type { Page, Product } from '../../harness/shop.ts';
import type { System } from './system.ts';

export function productCases(system: System): void {
  it('lists every product once, page by page', async () => {
    const whole = await system.shop.get<Page<Product>>('/products?limit=100');
    expect(whole.body.items.length).toBeGreaterThanOrEqual(20);
    expect(whole.body.next).toBeNull();

    const paged: string[] = [];
    for (let cursor: string | null = ''; cursor !== null; ) {
      const { body }: { body: Page<Product> } = await system.shop.get(
        `/products?limit=9${cursor && `&cursor=${cursor}`}`,
      );
      expect(body.items.length).toBeLessThanOrEqual(9);
      paged.push(...body.items.map(({ sku }) => sku));
      cursor = body.next;
    }
    expect(paged).toEqual(whole.body.items.map(({ sku }) => sku));
  });

  it('has at least 1000 of every product except the limited one', async () => {
    const { body } = await system.shop.get<Page<Product>>('/products?limit=100');
    for (const { sku, available } of body.items) {
      if (sku === 'LIMITED-1') expect(available).toBe(5);
      else expect(available).toBeGreaterThanOrEqual(1_000);
    }
  });

  it('searches names and descriptions, ignoring case', async () => {
    const { body } = await system.shop.get<Page<Product>>('/products?query=SAW');
    expect(body.items.map(({ sku }) => sku)).toContain('SAW-RIP');
    for (const { name, description } of body.items) expect(`${name} ${description}`.toLowerCase()).toContain('saw');
    const none = await system.shop.get<Page<Product>>('/products?query=no-such-thing');
    expect(none.body).toEqual({ items: [], next: null });
  });

  it('treats wildcard characters of a search as plain text', async () => {
    const { body } = await system.shop.get<Page<Product>>('/products?query=%25_');
    expect(body.items).toEqual([]);
  });

  it('shows one product with its stock', async () => {
    const { status, body } = await system.shop.get<Product>('/products/SAW-RIP');
    expect(status).toBe(200);
    expect(body).toEqual({
      sku: 'SAW-RIP',
      name: 'Rip saw',
      description: expect.any(String),
      price: { amount: 48_000, currency: 'KRW' },
      available: expect.any(Number),
    });
    expect(await system.shop.get('/products/NO-SUCH')).toMatchObject({ status: 404, body: { code: 'not-found' } });
  });

  it('recommends products bought together, with their counts', async () => {
    const pair = ['STONE-1000', 'STONE-6000'].map((sku) => ({ sku, quantity: 1 }));
    for (let times = 0; times < 2; times++) expect((await system.ada.checkOut(pair)).status).toBe(201);
    await expect
      .poll(async () => (await system.shop.get('/recommendations?sku=STONE-1000')).body)
      .toEqual({ items: [{ sku: 'STONE-6000', score: 2 }] });
  });
}
