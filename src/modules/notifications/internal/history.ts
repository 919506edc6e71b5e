import { and, desc, eq, lt } from 'drizzle-orm';
import { Cursors } from '../../../shared/kernel/contract/index.ts';
import type { Reader } from '../../../shared/kernel/database/index.ts';
import { tables } from './tables.ts';

const cursors = new Cursors('notifications.history');

export async function history(
  { memberId, orderId, limit, cursor }: { memberId: string; orderId?: string; limit: number; cursor?: string },
  reader: Reader,
) {
  const { messages } = tables(reader);
  const before = cursors.keyOf(cursor);
  const rows = await reader.db
    .select()
    .from(messages)
    .where(
      and(
        eq(messages.memberId, memberId),
        orderId === undefined ? undefined : eq(messages.orderId, orderId),
        before === undefined ? undefined : lt(messages.id, before),
      ),
    )
    .orderBy(desc(messages.id))
    .limit(limit + 1);
  return cursors.page(
    rows,
    limit,
    ({ id }) => id,
    ({ memberId: _, orderId: __, ...message }) => message,
  );
}
