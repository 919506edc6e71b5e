import { inArray, sql } from 'drizzle-orm';
import type { Unit } from '../data/index.ts';
import { eventTables } from './tables.ts';

const deliveredMs = 60 * 60_000;
const inboxMs = 7 * 24 * 60 * 60_000;

/**
 * Removes a portion of what has served: delivered rows after an hour, remembered event ids after seven days. Returns how many
 * of the kind that had the most.
 */
export async function removeExpired(unit: Unit, now: number, portion: number): Promise<number> {
  const { outbox, inbox } = eventTables(unit);
  const sent = unit.db
    .select({ seq: outbox.seq })
    .from(outbox)
    .where(sql`${outbox.state} = 'delivered' and ${outbox.settledAt} < ${now - deliveredMs}`)
    .limit(portion);
  const known = unit.db
    .select({ eventId: inbox.eventId })
    .from(inbox)
    .where(sql`${inbox.receivedAt} < ${now - inboxMs}`)
    .limit(portion);
  const removed = await unit.db.delete(outbox).where(inArray(outbox.seq, sent)).returning({ seq: outbox.seq });
  const forgotten = await unit.db.delete(inbox).where(inArray(inbox.eventId, known)).returning({ id: inbox.eventId });
  return Math.max(removed.length, forgotten.length);
}
