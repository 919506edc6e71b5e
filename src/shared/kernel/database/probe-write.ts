import { sql } from 'drizzle-orm';
import type { Database } from './database.ts';

/**
 * Writes a page without changing any value. Rejects with `NotWritten` while the database accepts no write. Does not wait for the disk.
 */
export async function probeWrite(database: Database): Promise<void> {
  await database.work(async ({ db }) => {
    const [row] = (await db.all(sql`PRAGMA user_version`)) as { user_version: number }[];
    await db.run(sql.raw(`PRAGMA user_version = ${row!.user_version}`));
  });
}
