import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { openSqlite } from '../../adapters/sqlite/index.ts';
import { ManualClock } from '../context/index.ts';
import { contract, query } from '../contract/index.ts';
import type { Bus } from '../events/index.ts';
import { Resources } from '../http-api/index.ts';
import { silentLog } from '../telemetry/index.ts';
import { openModule } from './open.ts';
import { remoteModule } from './remote-module.ts';

const about = { name: 'orders', owner: 'checkout', about: 'Checkout.', uses: ['payments'], listensTo: [] };
const said = { about, subscribesTo: ['payments.payment-captured.v1'], settings: ['ORDERS_CHECKOUT_SECONDS'] };
const price = query({ summary: 'A price', input: z.object({}), output: z.object({ cents: z.int() }) });
const orders = contract('orders', { operations: { price } });
const noBus: Bus = {
  recipients: () => [],
  deliver: async () => {},
  subscribe: async () => async () => {},
  backlog: async () => 0,
  close: async () => {},
};

it('declares its calls, its subscriptions and its settings', () => {
  const known = remoteModule(said);
  expect(known.about).toEqual(about);
  expect(known.subscriptions?.map(({ event }) => event.type)).toEqual(['payments.payment-captured.v1']);
  expect(known.settings?.parse({ ORDERS_CHECKOUT_SECONDS: '5' })).toEqual({ ORDERS_CHECKOUT_SECONDS: '5' });
  expect(known.settings?.parse({})).toEqual({});
});

it('has the given contract and resources, or an empty contract with its name', () => {
  const routes = () => new Resources('orders', orders);
  expect(remoteModule({ ...said, contract: orders, routes })).toMatchObject({ contract: orders, routes });
  expect(remoteModule(said)).not.toHaveProperty('routes');
  expect(remoteModule(said).contract).toMatchObject({ name: 'orders', operations: {}, events: {} });
});

it('refuses an invalid module.json', () => {
  expect(() => remoteModule({ ...said, about: { ...about, name: 'home' } })).toThrow('must not be home');
});

it('cannot be opened, and does not touch its data', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'kerf-known-'));
  onTestFinished(() => rmSync(dataDir, { recursive: true, force: true }));
  const calls = () => () => Promise.reject(new Error('nobody is called'));
  const openDatabase = () => openSqlite('guests', join(dataDir, 'guests.db'), []);
  const around = {
    openDatabase,
    bus: noBus,
    brokers: [],
    clock: new ManualClock(0),
    log: silentLog,
    calls,
    settings: {},
  };
  const opening = openModule(remoteModule(said), around);
  await expect(opening).rejects.toThrow('orders is not part of this artifact');
  expect(readdirSync(dataDir)).toEqual([]);
});
