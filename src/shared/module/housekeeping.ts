import { sql } from 'drizzle-orm';
import type { Clock } from '../clock/index.ts';
import type { Database, Migration } from '../data/index.ts';
import { removeExpired } from '../events/index.ts';
import { forgetAnswers } from './commands.ts';
import type { ModuleUnit, Timer } from './module.ts';

export const seedMigrations: Migration[] = [
  { name: 'kerf-seed-0001', sqlite: 'CREATE TABLE kerf_seed (done INTEGER PRIMARY KEY)' },
];

/** Runs `seed` in one unit with the note that it ran, so that it happens exactly once for a database. */
export async function seedOnce(
  database: Database,
  work: (task: (unit: ModuleUnit) => Promise<void>) => Promise<void>,
  seed: (unit: ModuleUnit) => Promise<void>,
): Promise<void> {
  const done = sql`select done from kerf_seed`;
  if ((await database.db.all(done)).length > 0) return;
  await work(async (unit) => {
    if ((await unit.db.all(done)).length > 0) return;
    await unit.db.run(sql`insert into kerf_seed values (1)`);
    await seed(unit);
  });
}

/** Removes what the kernel keeps for a time only: delivered events, remembered event ids, remembered answers. */
export function housekeeping(clock: Clock): Timer {
  return {
    name: 'housekeeping',
    everyMs: 60_000,
    async run(unit) {
      await removeExpired(unit, clock.now());
      await forgetAnswers(unit, clock.now());
    },
  };
}
