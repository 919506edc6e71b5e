import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { Kerf } from '../harness/kerf.ts';
import { Shop } from '../harness/shop.ts';
import { measure } from '../harness/usage.ts';

/**
 * Maximum cost of an order in one process, with one order at a time. The values are counts, not times, so that every machine gets the
 * same. Raise a value only together with the change that needs it, and justify it there.
 */
const budgetOfAnOrder = {
  /** Commits in all databases, including the messages that follow the order. */
  commits: 17,
  /** Statements that SQLite compiles: none for the order itself, some for periodic work of the process. */
  prepared: 3,
  /** Kilobytes written to disk. */
  kilobytes: 490,
};

const folder = mkdtempSync(join(tmpdir(), 'kerf-budget-'));
const probe = `--import=${resolve('test', 'harness', 'usage-probe.mjs')}`;
afterAll(() => rmSync(folder, { recursive: true, force: true }));

// Only Linux reports the bytes that a process has written to disk.
it.runIf(process.platform === 'linux')('an order in one process stays within its budget', async () => {
  const kerf = await Kerf.start({ env: { NODE_OPTIONS: probe, PROBE_DIR: folder } });
  const shop = await new Shop(kerf.url).join();
  let placed = 0;
  const order = async (count: number) => {
    for (placed += count; count > 0; count--) expect((await shop.order('WAX', 1, { wait: 10 })).status).toBe(201);
    await expect.poll(() => sentTo(shop)).toBe(placed);
  };
  await order(45);
  const used = await measure([kerf.process.pid!], folder);
  await order(45);
  const { commits, prepared, bytes } = await used();
  const each = { commits: commits / 45, prepared: prepared / 45, kilobytes: bytes / 1_024 / 45 };
  for (const [what, count] of Object.entries(each))
    expect(count, what).toBeLessThanOrEqual(budgetOfAnOrder[what as keyof typeof each]);
  // Proves that the probe counted the order's own commits.
  expect(each.commits).toBeGreaterThan(10);
  expect(await kerf.stop()).toBe(0);
});

/** Returns the number of sent mails about orders. */
async function sentTo(shop: Shop): Promise<number> {
  const { body } = await shop.get<{ items: { subject: string; status: string }[] }>('/messages?limit=100');
  return body.items.filter(({ subject, status }) => subject.startsWith('Order') && status === 'sent').length;
}
