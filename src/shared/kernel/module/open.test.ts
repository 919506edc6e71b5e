import { expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { ManualClock } from '../context/index.ts';
import { contract, type Event } from '../contract/index.ts';
import type { Database, Migration } from '../database/index.ts';
import type { Bus } from '../events/index.ts';
import { silentLog } from '../telemetry/index.ts';
import { SharedFile } from '../testing/index.ts';
import { type ModuleDefinition, on, type Timer } from './module.ts';
import { openModule } from './open.ts';
import { token } from './tokens.ts';

const definition = {
  contract: contract('shop', { operations: {} }),
  about: { name: 'shop', owner: 'shop', about: 'A shop.', uses: [], listensTo: [] },
  migrations: [],
  open: () => ({ operations: {} }),
} as unknown as ModuleDefinition;

/** Opens a module. `bus` replaces functions of its bus; `use` may replace its database. */
function open(parts: Partial<ModuleDefinition>, bus: Partial<Bus> = {}, use = (database: Database) => database) {
  const clock = new ManualClock();
  const openDatabase = (_: string, migrations: Migration[]) => {
    const file = new SharedFile(migrations);
    onTestFinished(() => file.close());
    return use(file.open());
  };
  const around = {
    dataDir: '',
    brokers: [],
    clock,
    log: silentLog,
    calls: () => async () => ({}),
    settings: {},
    openDatabase,
  };
  const silent = { recipients: () => [], deliver: async () => {}, subscribe: async () => async () => {} };
  return openModule({ ...definition, ...parts }, { ...around, bus: { ...silent, ...bus } as unknown as Bus });
}

it('closes its database when the module cannot be opened', async () => {
  let closed = 0;
  const counting = (database: Database): Database => ({
    ...database,
    close() {
      closed += 1;
      return database.close();
    },
  });
  const broken = () => {
    throw new Error('a module with a fault');
  };
  await expect(open({ open: broken }, {}, counting)).rejects.toThrow('a module with a fault');
  expect(closed).toBe(1);
});

it("refuses a module's migration with a name of the kernel", async () => {
  const migrations: Migration[] = [{ name: 'kerf-events-0003', sqlite: 'DROP TABLE kerf_outbox' }];
  await expect(open({ migrations })).rejects.toThrow(
    /"kerf-events-0003" of "shop": names that begin with kerf- are Kerf's own/,
  );
});

it.each<[Timer, string]>([
  [{ name: 'nightly', cron: '61 * * * *', run: async () => undefined }, 'cron "61 * * * *" is invalid: '],
  [{ name: 'housekeeping', everyMs: 60_000, run: async () => undefined }, 'another timer has this name'],
])('refuses an invalid timer', async (timer, reason) => {
  const inside = () => ({ operations: {}, timers: [timer] });
  await expect(open({ open: inside })).rejects.toThrow(`timer "${timer.name}" of "shop": ${reason}`);
});

const sold = { module: 'till', name: 'sold', version: 1, type: 'till.sold.v1', key: 'id', earlier: [] };
const event = { ...sold, data: z.object({ id: z.string() }) } satisfies Event;

it('refuses subscriptions that differ from module.json', async () => {
  const subscriptions = [on(event, async () => {})];
  await expect(open({ subscriptions })).rejects.toThrow(
    '"shop" subscribes to other modules than it declares. Write in src/modules/shop/module.json: "listensTo": ["till"]',
  );
  const about = { ...definition.about, listensTo: ['till'] };
  await expect(open({ about })).rejects.toThrow('module.json: "listensTo": []');
  await (await open({ about, subscriptions })).close();
});

it("passes the module's container to an event handler", async () => {
  const greeting = token<string>('a greeting');
  const seen: unknown[] = [];
  const module = await open({
    about: { ...definition.about, listensTo: ['till'] },
    subscriptions: [
      on(event, async ({ id }, unit, container) => {
        seen.push(id, unit.clock.now(), container.resolve(greeting));
      }),
    ],
    open(container) {
      container.register(greeting, () => 'hello');
      return { operations: {} };
    },
  });
  await module.start();
  const envelope = { specversion: '1.0', id: 'e1', source: '/modules/till', type: sold.type, data: { id: 'a' } };
  await module.receive({
    ...envelope,
    partitionkey: 'a',
    time: '2026-01-01T00:00:00.000Z',
    datacontenttype: 'application/json',
  });
  expect(seen).toEqual(['a', new ManualClock().now(), 'hello']);
  await module.close();
});
