import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openSqlite } from '../../src/shared/adapters/sqlite/index.ts';
import { eventMigrations } from '../../src/shared/kernel/events/index.ts';
import { eventTables } from '../../src/shared/kernel/events/tables.ts';

const program = join(import.meta.dirname, 'poison-process.ts');
const execArgv = ['--no-warnings'];

it('counts an attempt for an event that kills its process, and handles the other events', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'kerf-poison-'));
  const taken: unknown[] = [];
  for (const publishes of [['publishes'], [], []]) {
    const child = fork(program, [folder, ...publishes], { execArgv });
    child.on('message', (customer) => taken.push(customer));
    expect((await once(child, 'exit'))[1]).toBe('SIGKILL');
  }
  const mail = openSqlite('mail', join(folder, 'mail.db'), eventMigrations);
  const shop = openSqlite('shop', join(folder, 'shop.db'), eventMigrations);
  const [row] = await mail.db.select().from(eventTables(mail).retryQueue);
  // Only the next process counts the last death, so 3 deaths give 2 attempts.
  expect(row).toMatchObject({ key: 'poison', state: 'failed', attempts: 2 });
  const sent = await shop.db.select().from(eventTables(shop).outbox);
  expect(sent.map(({ state }) => state)).toEqual(['delivered', 'delivered']);
  expect(taken).toEqual(['good']);
  await Promise.all([mail.close(), shop.close()]);
});
