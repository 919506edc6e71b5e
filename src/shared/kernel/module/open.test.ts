import { expect, it, onTestFinished } from 'vitest';
import { ManualClock } from '../context/index.ts';
import { contract } from '../contract/index.ts';
import type { Database, Migration } from '../database/index.ts';
import type { Bus } from '../events/index.ts';
import { silentLog } from '../telemetry/index.ts';
import { SharedFile } from '../testing/index.ts';
import type { ModuleDefinition, Timer } from './module.ts';
import { openModule } from './open.ts';

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
  const around = { dataDir: '', clock, log: silentLog, calls: () => async () => ({}), settings: {}, openDatabase };
  const silent = { recipients: () => [], deliver: async () => {}, subscribe: async () => async () => {} };
  return openModule({ ...definition, ...parts }, { ...around, bus: { ...silent, ...bus } as unknown as Bus });
}

it('closes its data again when it cannot be opened', async () => {
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

it('refuses a migration of a module that is named as one of the kernel', async () => {
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
