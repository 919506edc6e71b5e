import { sql } from 'drizzle-orm';
import type { Unit } from '../data/index.ts';

const deliveredMs = 60 * 60_000;
const inboxMs = 7 * 24 * 60 * 60_000;
const portion = 1_000;

/** Removes a portion of what has served: delivered rows after an hour, remembered event ids after seven days. */
export async function removeExpired(unit: Unit, now: number): Promise<void> {
  await unit.db.run(sql`
    delete from kerf_outbox where seq in
      (select seq from kerf_outbox where state = 'delivered' and settled_at < ${now - deliveredMs} limit ${portion})`);
  await unit.db.run(sql`
    delete from kerf_inbox where event_id in
      (select event_id from kerf_inbox where received_at < ${now - inboxMs} limit ${portion})`);
}
