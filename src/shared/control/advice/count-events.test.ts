import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { z } from 'zod';
import { openSqlite } from '../../adapters/sqlite/index.ts';
import { systemClock } from '../../kernel/context/index.ts';
import { contract, event } from '../../kernel/contract/index.ts';
import type { Database } from '../../kernel/database/index.ts';
import { eventMigrations, Outbox } from '../../kernel/events/index.ts';
import { countEvents } from './count-events.ts';

const { told } = contract('sample', {
  operations: {},
  events: { told: event('told', 1, 'to', z.object({ to: z.string() })) },
}).events;

let folder: string;
let open: Map<string, { database: Database }>;
const databases: Database[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kerf-advice-'));
  open = new Map();
});
afterEach(async () => {
  for (const database of databases.splice(0)) await database.close();
  rmSync(folder, { recursive: true });
});

function add(name: string): Database {
  const database = openSqlite(name, join(folder, `${name}.db`), eventMigrations);
  databases.push(database);
  open.set(name, { database });
  return database;
}

async function publish(database: Database, ...recipients: string[]): Promise<void> {
  const outbox = new Outbox({ recipients: () => recipients }, systemClock, () => {});
  await database.work((unit) => outbox.publish(unit, told, { to: 'all' }));
}

it('counts the events published during the measurement, for each recipient', async () => {
  const orders = add('orders');
  await publish(orders, 'mail');
  const end = await countEvents(open);
  await publish(orders, 'mail', 'payments');
  await publish(orders, 'mail');
  expect(await end()).toEqual([
    { from: 'orders', to: 'mail', count: 2 },
    { from: 'orders', to: 'payments', count: 1 },
  ]);
});

it('counts no events of a module that arrives, leaves or returns during the measurement', async () => {
  await publish(add('orders'), 'mail');
  const [payments, board] = [add('payments'), add('board')];
  open.delete('orders');
  const end = await countEvents(open);
  const orders = add('orders');
  await publish(payments, 'mail');
  open.delete('payments');
  await payments.close();
  await publish(board, 'mail');
  await board.close();
  await publish(add('board'), 'mail');
  await publish(orders, 'mail');
  expect(await end()).toEqual([]);
});
