import { and, eq } from 'drizzle-orm';
import type { Reader } from '../../../shared/kernel/database/index.ts';
import { refusal } from '../../../shared/kernel/errors/index.ts';
import { paymentOf, toPayment } from './store.ts';
import { tables } from './tables.ts';

export async function get({ id, memberId }: { id: string; memberId: string }, reader: Reader) {
  const { payments } = tables(reader);
  const [row] = await reader.db
    .select()
    .from(payments)
    .where(and(eq(payments.id, id), eq(payments.memberId, memberId)));
  if (!row || row.status === 'authorizing') throw refusal('not-found', 'there is no such payment');
  return toPayment(row);
}

export async function ofOrder({ orderId, memberId }: { orderId: string; memberId: string }, reader: Reader) {
  const row = await paymentOf(reader, orderId);
  const shown = row?.memberId === memberId && row.status !== 'authorizing';
  return { payment: shown ? toPayment(row) : null };
}
