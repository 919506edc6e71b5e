import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { deep } from '../harness/deep.ts';
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
  /** Syncs, when no other process has opened the data for 15 s: before the two calls of the provider, the answer, the mail, and what follows. */
  syncs: 8,
};
const counted = 45;

const folder = mkdtempSync(join(tmpdir(), 'kerf-budget-'));
const probe = `--import=${resolve('test', 'harness', 'usage-probe.mjs')}`;
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const isLinux = process.platform === 'linux';

// Only Linux reports the bytes that a process has written to disk.
it.runIf(isLinux)('an order in one process stays within its budget', async () => {
  const { kerf, order, used } = await start();
  await order(counted);
  const { commits, prepared, bytes } = await used(() => order(counted));
  const each = { commits: commits / counted, prepared: prepared / counted, kilobytes: bytes / 1_024 / counted };
  for (const [what, count] of Object.entries(each))
    expect(count, what).toBeLessThanOrEqual(budgetOfAnOrder[what as keyof typeof each]);
  // Proves that the probe counted the order's own commits.
  expect(each.commits).toBeGreaterThan(10);
  expect(await kerf.stop()).toBe(0);
});

it.runIf(isLinux)('the commits of an order share their syncs', deep, async () => {
  const { kerf, order, used } = await start();
  while ((await used(() => order(5))).syncs < 10);
  const { syncs } = await used(() => order(counted));
  expect(syncs / counted).toBeLessThanOrEqual(budgetOfAnOrder.syncs);
  expect(syncs / counted).toBeGreaterThanOrEqual(3);
  expect(await kerf.stop()).toBe(0);
});

/** Starts the shop. `order` places orders one by one, and waits for their mails. `used` measures what a task makes the process do. */
async function start() {
  const kerf = await Kerf.start({ env: { NODE_OPTIONS: probe, PROBE_DIR: folder } });
  const shop = await new Shop(kerf.url).join();
  let placed = 0;
  const order = async (count: number) => {
    for (placed += count; count > 0; count--) expect((await shop.order('WAX', 1, { wait: 10 })).status).toBe(201);
    const sent = Math.min(placed, latestMessages);
    await expect.poll(() => sentTo(shop)).toBe(sent);
  };
  const used = async (task: () => Promise<void>) => {
    const measured = await measure([kerf.process.pid!], folder);
    await task();
    return measured();
  };
  return { kerf, order, used };
}

/** The most that the shop lists at once. A member's first message is the welcome. */
const latestMessages = 100;

/** Returns the number of sent mails about orders. */
async function sentTo(shop: Shop): Promise<number> {
  const { body } = await shop.get<{ items: { subject: string; status: string }[] }>('/messages?limit=100');
  return body.items.filter(({ subject, status }) => subject.startsWith('Order') && status === 'sent').length;
}
