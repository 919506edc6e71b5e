import { eq, sql } from 'drizzle-orm';
import { newId } from '../../../shared/kernel/context/index.ts';
import { insertInto, prepared, type Reader, rowsBy, type Unit } from '../../../shared/kernel/database/index.ts';
import type { Payment } from '../contract.ts';
import { type PaymentRow, type PaymentStatus, tables } from './tables.ts';

const { placeholder } = sql;

/** Order, member and amount of a payment. Every command on the payment carries them. */
export interface Charge {
  orderId: string;
  memberId: string;
  amount: { amount: number; currency: string };
}

const byOrder = rowsBy((reader) => tables(reader).payments, 'orderId');
const insertRow = insertInto((reader) => tables(reader).payments);

const updateStatus = prepared((unit) => {
  const { payments } = tables(unit);
  return unit.db
    .update(payments)
    .set({ status: sql`${placeholder('status')}`, updatedAt: sql`${placeholder('updatedAt')}` })
    .where(eq(payments.id, placeholder('id')))
    .prepare();
});

export async function paymentOf(reader: Reader, orderId: string): Promise<PaymentRow | undefined> {
  return (await byOrder(reader, orderId))[0];
}

export async function addPayment(
  unit: Unit,
  { orderId, memberId, amount }: Charge,
  status: PaymentStatus,
  at: string,
): Promise<PaymentRow> {
  const row: PaymentRow = { id: newId(), orderId, memberId, ...amount, status, updatedAt: at };
  await insertRow(unit, row);
  return row;
}

export async function setStatus(unit: Unit, row: PaymentRow, status: PaymentStatus, at: string): Promise<PaymentRow> {
  await updateStatus(unit).execute({ id: row.id, status, updatedAt: at });
  return { ...row, status, updatedAt: at };
}

/** Maps a payment to its form in the contract. Throws for `authorizing`: the provider has not answered yet. */
export function toPayment({ id, orderId, amount, currency, status }: PaymentRow): Payment {
  if (status === 'authorizing') throw new Error('a payment in doubt has no public form');
  return { id, orderId, amount: { amount, currency }, status };
}
