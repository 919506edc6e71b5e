import type { Clock } from '../context/index.ts';
import { type Database, defineTables, type Migration, type Reader } from '../database/index.ts';
import { removeExpired } from '../events/index.ts';
import { removeEnded } from '../saga/index.ts';
import { forgetAnswers } from './commands.ts';
import type { ModuleUnit, Timer } from './module.ts';

const seedTables = defineTables(({ table, integer }) => ({
  seed: table('kerf_seed', { done: integer('done').primaryKey() }),
}));

export const seedMigrations: Migration[] = [
  { name: 'kerf-seed-0001', phase: 'expand', sqlite: 'CREATE TABLE kerf_seed (done INTEGER PRIMARY KEY)' },
];

/** Runs `seed` and records that in the same unit, so that it runs exactly once per database. */
export async function seedOnce(
  database: Database,
  work: (task: (unit: ModuleUnit) => Promise<void>) => Promise<void>,
  seed: (unit: ModuleUnit) => Promise<void>,
): Promise<void> {
  const done = async (reader: Reader) => (await reader.db.select().from(seedTables(reader).seed)).length > 0;
  if (await done(database)) return;
  await work(async (unit) => {
    if (await done(unit)) return;
    await unit.db.insert(seedTables(unit).seed).values({ done: 1 });
    await seed(unit);
  });
}

const portion = 500;

/**
 * Returns the timer that removes expired data of the kernel: delivered events, recorded event ids and answers, and ended sagas. Each
 * run removes a small portion, so that no other unit waits long. It runs again at once while more is left.
 */
export function housekeeping(clock: Clock): Timer {
  return {
    name: 'housekeeping',
    everyMs: 5 * 60_000,
    async run(unit) {
      const now = clock.now();
      const removed = Math.max(
        await removeExpired(unit, now, portion),
        await forgetAnswers(unit, now, portion),
        await removeEnded(unit, now, portion),
      );
      return removed === portion ? 'again' : undefined;
    },
  };
}
