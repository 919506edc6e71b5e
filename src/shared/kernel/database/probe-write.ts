import { sql } from 'drizzle-orm';
import type { Database } from './database.ts';

/**
 * Writes a page without changing any value. Rejects with `NotWritten` while the database accepts no write. Does not wait for the disk.
 */
export async function probeWrite(database: Database): Promise<void> {
  await database.work(async ({ db }) => {
    const [row] = await db.all<{ user_version: number }>(sql`PRAGMA user_version`);
    // The pragma always has its one row.
    await db.run(sql.raw(`PRAGMA user_version = ${row!.user_version}`));
  });
}
