import { and, desc, eq, lt } from 'drizzle-orm';
import type { Reader } from '../../../shared/data/index.ts';
import { tables } from './tables.ts';

export async function history(
  { memberId, orderId, limit, cursor }: { memberId: string; orderId?: string; limit: number; cursor?: string },
  reader: Reader,
) {
  const { messages } = tables(reader);
  const rows = await reader.db
    .select()
    .from(messages)
    .where(
      and(
        eq(messages.memberId, memberId),
        orderId === undefined ? undefined : eq(messages.orderId, orderId),
        cursor === undefined ? undefined : lt(messages.id, cursor),
      ),
    )
    .orderBy(desc(messages.id))
    .limit(limit + 1);
  const items = rows.slice(0, limit).map(({ memberId: _, orderId: __, ...message }) => message);
  return { items, next: rows.length > limit ? items.at(-1)!.id : null };
}
