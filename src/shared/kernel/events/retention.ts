import { inArray, sql } from 'drizzle-orm';
import type { Unit } from '../database/index.ts';
import { eventTables } from './tables.ts';

const hourMs = 60 * 60_000;
const weekMs = 7 * 24 * hourMs;

/**
 * Removes at most `portion` expired rows of each table: delivered outbox rows after an hour; discarded outbox rows, event ids in the
 * inbox and completed rows of the retry queue after seven days. Returns the largest number of rows that it removed from one table.
 */
export async function removeExpired(unit: Unit, now: number, portion: number): Promise<number> {
  const { outbox, inbox, retryQueue } = eventTables(unit);
  const sent = unit.db
    .select({ seq: outbox.seq })
    .from(outbox)
    .where(
      sql`${outbox.state} in ('delivered', 'discarded') and ${outbox.settledAt} < ${now - hourMs}
        and (${outbox.state} = 'delivered' or ${outbox.settledAt} < ${now - weekMs})`,
    )
    .limit(portion);
  const known = unit.db
    .select({ eventId: inbox.eventId })
    .from(inbox)
    .where(sql`${inbox.receivedAt} < ${now - weekMs}`)
    .limit(portion);
  const settled = unit.db
    .select({ seq: retryQueue.seq })
    .from(retryQueue)
    .where(sql`${retryQueue.state} in ('delivered', 'discarded') and ${retryQueue.settledAt} < ${now - weekMs}`)
    .limit(portion);
  const removed = [
    await unit.db.delete(outbox).where(inArray(outbox.seq, sent)).returning({ seq: outbox.seq }),
    await unit.db.delete(inbox).where(inArray(inbox.eventId, known)).returning({ id: inbox.eventId }),
    await unit.db.delete(retryQueue).where(inArray(retryQueue.seq, settled)).returning({ seq: retryQueue.seq }),
  ];
  return Math.max(...removed.map((rows) => rows.length));
}
