import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { expect, it } from 'vitest';
import { eventually } from '../../harness/kerf.ts';
import { quiet } from '../../harness/quiet.ts';
import type { Answer, Outcome, Product, Shop } from '../../harness/shop.ts';
import type { System } from './system.ts';

const stock = 5;
const rush = 200;

export function limitedCases(system: System): void {
  it(`sells exactly ${stock} of ${stock} items to ${rush} concurrent orders, and charges nobody else`, async () => {
    const answers = await Promise.all(Array.from({ length: rush }, () => insist(system.ada)));
    const confirmed = answers.filter(({ status }) => status === 201).map(({ body }) => body.id);
    const rejected = answers.filter(({ status }) => status === 409).map(({ body }) => body.orderId!);
    expect([confirmed.length, rejected.length]).toEqual([stock, rush - stock]);
    expect((await system.shop.get<Product>('/products/LIMITED-1')).body.available).toBe(0);

    await quiet(system.kerf);
    const payments = paymentsIn(join(system.kerf.dataDir, 'payments.db'));
    for (const id of confirmed) expect(payments.get(id)).toBe('captured');
    for (const id of rejected) expect(['voided', 'declined', undefined]).toContain(payments.get(id));
  });

  it('leaves no unfinished work', async () => {
    await quiet(system.kerf);
    expect(await system.kerf.ops('/ops/dead-letters')).toEqual({ items: [] });
    expect(await system.kerf.ops('/ops/sagas?state=stuck')).toEqual({ items: [] });
  });
}

/** Orders one item, and repeats the request under the same key until the order is decided. */
function insist(shop: Shop): Promise<Answer<Outcome>> {
  const key = randomUUID();
  return eventually(async () => {
    const answer = await shop.order('LIMITED-1', 1, { key });
    return answer.status !== 202 && answer;
  }, 'the decision about an order');
}

/** Reads the status of each order's payment from the payments database. */
function paymentsIn(file: string): Map<string, string> {
  const database = new Sqlite(file, { readonly: true });
  try {
    const rows = database.prepare('SELECT order_id, status FROM payments').raw().all();
    return new Map(rows as [string, string][]);
  } finally {
    database.close();
  }
}
